"""win.hyperv: a Windows guest lacks the enlightenments that are made for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.advise.intent import Goal, Intent
from kvmnb.facts.gap import changed
from tests.advise.parts import a_domain_with, saying
from tests.builders import a_domain, a_host, found, judged, silent, values

RULE = "win.hyperv"
HOST = a_host()
ALL = ("relaxed", "vapic", "spinlocks", "vpindex", "runtime", "synic", "stimer", "frequencies", "tlbflush", "ipi")
WINDOWS = saying("windows")


def hyperv(*names: str, off: tuple[str, ...] = (), mode: str = "custom") -> str:
    states = "".join([*(f"<{name} state='on'/>" for name in names), *(f"<{name} state='off'/>" for name in off)])
    return f"<features><hyperv mode='{mode}'>{states}</hyperv></features>"


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_windows_without_any_gets_the_whole_set(goal: str) -> None:
    intent = replace_goal(goal)
    finding = found(RULE, HOST, a_domain(), intent=intent)
    wanted = values(finding)
    expected = [name for name in ALL if name != "spinlocks" or goal != "latency"]
    assert [name for name in ALL if f"domain_xml:features/hyperv/{name}/@state" in wanted] == expected
    assert wanted["domain_xml:features/hyperv/stimer/direct/@state"] == "on"
    assert wanted["domain_xml:clock/timer[hypervclock]/@present"] == "yes"
    assert wanted["domain_xml:clock/@offset"] == "utc"
    assert (finding.severity, finding.safety, finding.sure) == (Severity.HIGH, Safety.DISRUPTIVE, Sure.CERTAIN)


def replace_goal(goal: str) -> Intent:

    return replace(WINDOWS, goal=Goal(goal))


def test_spinlocks_come_with_their_retries() -> None:
    finding = found(RULE, HOST, a_domain_with(hyperv(*(one for one in ALL if one != "spinlocks"))))
    assert values(finding) == {
        "domain_xml:features/hyperv/spinlocks/@state": "on",
        "domain_xml:features/hyperv/spinlocks/@retries": "8191",
    }


def test_a_guest_with_its_own_cpus_needs_no_spinlocks() -> None:
    guest = a_domain_with(hyperv(*(one for one in ALL if one != "spinlocks")), pins={0: "0", 1: "1"})
    assert silent(RULE, HOST, guest)


def test_an_enlightenment_alone_only_makes_windows_likely() -> None:
    finding = found(RULE, HOST, a_domain_with(hyperv("relaxed")))
    assert finding.sure is Sure.LIKELY
    assert "taken for Windows" in (finding.note or "")


def test_the_whole_set_is_right() -> None:
    assert silent(RULE, HOST, a_domain_with(hyperv(*ALL)))


def test_what_somebody_switched_off_stays_off_with_all_that_needs_it() -> None:
    guest = a_domain_with(hyperv("relaxed", "vapic", "spinlocks", "runtime", "frequencies", off=("vpindex",)))
    assert silent(RULE, HOST, guest)


def test_without_its_clock_stimer_is_left_out() -> None:
    inside = hyperv(*(one for one in ALL if one != "stimer"))
    off = "<clock offset='utc'><timer name='hypervclock' present='no'/></clock>"
    assert "stimer" in found(RULE, HOST, a_domain_with(inside)).saw
    assert silent(RULE, HOST, a_domain_with(inside + off))


@pytest.mark.parametrize("mode", ["passthrough", "host-model"])
def test_another_mode_is_somebodys_choice(mode: str) -> None:
    assert silent(RULE, HOST, a_domain_with(hyperv(mode=mode)))


@pytest.mark.parametrize(
    ("libvirt", "qemu", "last"),
    [
        ("1.1.0", "7.2.0", "spinlocks"),
        ("4.6.0", "7.2.0", "stimer"),
        ("4.9.0", "7.2.0", "tlbflush"),
        ("9.0.0", "3.0.0", "tlbflush"),
    ],
)
def test_what_libvirt_or_qemu_do_not_know_is_not_wanted(libvirt: str, qemu: str, last: str) -> None:
    host = a_host(libvirt=libvirt)
    assert host.hypervisor is not None
    host = changed(host, hypervisor=changed(host.hypervisor, version=qemu))
    saw = found(RULE, host, a_domain(), intent=WINDOWS).saw
    assert saw.endswith(last)


def test_other_guests_are_not_judged() -> None:
    assert silent(RULE, HOST, a_domain())
    assert silent(RULE, HOST, a_domain(virt_type="qemu"), intent=WINDOWS)
    assert silent(RULE, HOST, a_domain(arch="aarch64"), intent=WINDOWS)


def test_without_libvirt_it_is_not_checked() -> None:
    result = judged(RULE, replace(HOST, hypervisor=None), a_domain(), intent=WINDOWS)
    assert "no libvirt" in result.not_checked[0].reason


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = replace(a_domain(), persistent=False, inactive=None)
    assert found(RULE, HOST, guest, intent=WINDOWS).safety is Safety.MANUAL
