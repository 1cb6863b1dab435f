"""net.model: the guest's NIC imitates a real card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.intent import GuestIntent
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from tests.advise.net.builders import AT, KEY, MAC, interface
from tests.builders import a_domain, a_host, an_intent, found, judged, silent, values

RULE = "net.model"
HOST = a_host()
DEBIAN = "http://debian.org/debian/12"


def guest(devices: str, system: str | None = DEBIAN, **words: Any) -> Domain:
    one = a_domain(devices=devices, **words)
    assert one.inactive is not None
    return changed(one, inactive=changed(one.inactive, os_id=system))


@pytest.mark.parametrize("model", ["e1000", "e1000e", "igb", "rtl8139", "ne2k_pci", "pcnet", "vmxnet3"])
@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_an_imitated_card_of_a_linux_guest_becomes_virtio(model: str, goal: str) -> None:
    finding = found(RULE, HOST, guest(interface(model)), goal=goal)
    assert values(finding) == {f"{AT}/model/@type": "virtio"}
    assert (finding.severity, finding.safety) == (Severity.CRITICAL, Safety.DISRUPTIVE)
    assert finding.subject == f"domain/guest/interface/{KEY}"
    assert any("a reboot inside the guest is not enough" in cost for cost in finding.costs)
    assert any("console" in cost for cost in finding.costs)
    assert DEBIAN in (finding.note or "")


@pytest.mark.parametrize("model", ["virtio", "virtio-transitional", "virtio-non-transitional", "netfront"])
def test_other_models_are_left(model: str) -> None:
    assert silent(RULE, HOST, guest(interface(model)))


@pytest.mark.parametrize(
    "system",
    [
        None,
        "http://microsoft.com/win/10",
        "http://freebsd.org/freebsd/13.2",
        "http://redhat.com/rhel/5.1",
        "http://debian.org/debian/4",
        "http://ubuntu.com/ubuntu/6.06",
    ],
)
def test_without_proof_of_drivers_a_person_looks(system: str | None) -> None:
    finding = found(RULE, HOST, guest(interface("e1000"), system))
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())
    assert "virtio-win" in (finding.note or "")


@pytest.mark.parametrize(
    "system", ["http://redhat.com/rhel/9.1", "http://ubuntu.com/ubuntu/22.04", "http://fedoraproject.org/fedora/38"]
)
def test_a_linux_system_is_proof(system: str) -> None:
    assert found(RULE, HOST, guest(interface("e1000"), system)).wants


def test_the_word_of_a_person_is_proof_and_wins() -> None:
    silent_xml = guest(interface("e1000"), None)
    assert found(RULE, HOST, silent_xml, intent=an_intent(guest=GuestIntent(os="linux"))).wants
    said = an_intent(guest=GuestIntent(os="windows"))
    assert not found(RULE, HOST, guest(interface("e1000")), intent=said).wants


def test_a_pc_without_a_model_gets_one() -> None:
    finding = found(RULE, HOST, guest(interface(None)))
    assert "names no model" in finding.saw
    assert values(finding) == {f"{AT}/model/@type": "virtio"}


@pytest.mark.parametrize("machine", ["pc", "q35", "pc-i440fx-2.8", "pc-q35-9.0"])
def test_these_machines_are_pcs(machine: str) -> None:
    assert found(RULE, HOST, guest(interface(None), machine=machine))


@pytest.mark.parametrize("machine", ["isapc", "microvm", "virt"])
def test_these_are_not(machine: str) -> None:
    assert silent(RULE, HOST, guest(interface(None), machine=machine))


def test_without_a_model_only_x86_is_judged() -> None:
    assert silent(RULE, HOST, guest(interface(None), arch="aarch64", machine="virt"))
    assert silent(RULE, HOST, guest(interface(None), arch="aarch64", machine="q35"))


@pytest.mark.parametrize("type", ["hostdev", "vdpa", "vhostuser"])
def test_a_type_without_models_is_left(type: str) -> None:
    assert silent(RULE, HOST, guest(interface(None, type=type)))


def test_queues_that_have_no_effect_are_told() -> None:
    assert "queues=4 has no effect" in found(RULE, HOST, guest(interface("e1000", driver="queues='4'"))).saw
    assert "queues" not in found(RULE, HOST, guest(interface("e1000"))).saw


def test_two_interfaces_of_one_address_are_left_to_a_person() -> None:
    result = judged(RULE, HOST, guest(interface("e1000") + interface("e1000")))
    assert [one.safety for one in result.findings] == [Safety.MANUAL] * 2
    assert "same name or address" in (result.findings[0].note or "")


def test_each_interface_is_named_by_its_own_key() -> None:
    devices = interface("e1000", mac=None) + interface("e1000") + interface("e1000", mac=None, target="tap9")
    subjects = {one.subject for one in judged(RULE, HOST, guest(devices)).findings}
    assert subjects == {f"domain/guest/interface/{key}" for key in ("0", KEY, "tap9")}


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    one = guest(interface("e1000"))
    transient = replace(one, persistent=False, inactive=None, live=one.inactive)
    finding = found(RULE, HOST, transient)
    assert finding.safety is Safety.MANUAL
    assert MAC in finding.by_hand[0]


def test_another_hypervisors_guest_is_left() -> None:
    assert silent(RULE, HOST, guest(interface("e1000"), virt_type="xen"))
