"""cpu.mode: the guest's CPU is an old model that hides what the host's CPU can do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_domain, a_host, found, judged, silent, values

RULE = "cpu.mode"
HOST = a_host()


def custom(model: str, inside: str = "") -> str:
    return f"<cpu mode='custom' match='exact' check='none'><model fallback='allow'>{model}</model>{inside}</cpu>"


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_an_old_model_becomes_the_hosts_cpu(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(cpu=custom("qemu64")), goal=goal)
    assert values(finding) == {
        "domain_xml:cpu/@mode": "host-passthrough",
        "domain_xml:cpu/@migratable": "on",
        "domain_xml:cpu/@match": None,
        "domain_xml:cpu/model": None,
        "domain_xml:cpu/vendor": None,
    }
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    words = " ".join(finding.costs)
    assert all(word in words for word in ("a reboot inside the guest is not enough", "migrates", "Windows", "licensed"))


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(cpu=custom("qemu64")), goal="density")


OLD = ["qemu64", "qemu32", "kvm64", "kvm32", "486", "pentium", "pentium3", "coreduo", "core2duo", "Conroe", "Penryn"]


@pytest.mark.parametrize("model", [*OLD, "Opteron_G1", "Opteron_G5", "qemu64-v1"])
def test_these_models_are_old(model: str) -> None:
    assert model in found(RULE, HOST, a_domain(cpu=custom(model))).saw


@pytest.mark.parametrize("model", ["Nehalem", "Skylake-Server", "EPYC", "Westmere-v2", "qemu640", "xPenryn"])
def test_these_models_are_somebodys_choice(model: str) -> None:
    assert silent(RULE, HOST, a_domain(cpu=custom(model)))


@pytest.mark.parametrize("mode", ["host-model", "host-passthrough", "maximum"])
def test_modes_that_follow_the_host_are_right(mode: str) -> None:
    assert silent(RULE, HOST, a_domain(cpu=f"<cpu mode='{mode}'/>"))


def test_a_guest_without_a_cpu_element_gets_one() -> None:
    finding = found(RULE, HOST, a_domain(cpu=""))
    assert "default qemu64" in finding.saw
    assert values(finding) == {"domain_xml:cpu/@mode": "host-passthrough", "domain_xml:cpu/@migratable": "on"}


def test_a_cpu_element_of_a_topology_alone_is_as_none() -> None:
    guest = a_domain(cpu="<cpu><topology sockets='1' cores='2' threads='1'/></cpu>")
    assert "neither a mode nor a model" in found(RULE, HOST, guest).saw


def test_an_emulated_guest_gets_the_most_that_can_be_emulated() -> None:
    finding = found(RULE, HOST, a_domain(cpu=custom("qemu64"), virt_type="qemu"))
    assert values(finding)["domain_xml:cpu/@mode"] == "maximum"
    assert finding.severity is Severity.LOW
    assert "TCG" in (finding.note or "")


def test_where_nothing_better_is_offered_it_says_so() -> None:
    host = a_host(modes={"host-passthrough": False, "maximum": False, "host-model": True, "custom": True})
    finding = found(RULE, host, a_domain(cpu=custom("qemu64")))
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert "neither host-passthrough nor maximum is offered" in (finding.note or "")


@pytest.mark.parametrize(("libvirt", "has"), [("6.4.9", False), ("6.5.0", True), ("10.0.0", True)])
def test_an_old_libvirt_knows_no_migratable(libvirt: str, has: bool) -> None:
    finding = found(RULE, a_host(libvirt=libvirt), a_domain(cpu=custom("qemu64")))
    assert ("domain_xml:cpu/@migratable" in values(finding)) is has


@pytest.mark.parametrize("words", [{"arch": "aarch64"}, {"virt_type": "xen"}])
def test_other_guests_are_not_judged(words: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_domain(cpu="", **words))


def test_a_guest_of_a_kind_that_libvirt_was_not_asked_about_is_not_checked() -> None:
    result = judged(RULE, HOST, a_domain(cpu="", machine="pc-i440fx-9.9"))
    assert not result.findings
    assert "pc-i440fx-9.9" in result.not_checked[0].reason


def test_without_libvirt_it_is_not_checked() -> None:
    result = judged(RULE, replace(HOST, hypervisor=None), a_domain(cpu=""))
    assert "no libvirt" in result.not_checked[0].reason


def test_a_shut_off_guest_has_no_restart_to_pay() -> None:
    assert not any("shut down" in cost for cost in found(RULE, HOST, a_domain(cpu="", running=False)).costs)


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = a_domain(cpu="")
    transient = replace(guest, persistent=False, inactive=None)
    assert found(RULE, HOST, transient).safety is Safety.MANUAL
