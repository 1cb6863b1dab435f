"""dev.machine_type: the guest's machine type is old and keeps old defaults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_domain, a_host, found, silent

RULE = "dev.machine_type"
HOST = a_host()
HOSTDEV = (
    "<hostdev mode='subsystem' type='pci' managed='yes'>"
    "<source><address domain='0x0000' bus='0x06' slot='0x02' function='0x0'/></source></hostdev>"
)


@pytest.mark.parametrize(
    ("machine", "lacks"),
    [
        ("pc-q35-3.1", 3),
        ("pc-i440fx-2.8", 3),
        ("pc-1.3", 3),
        ("pc-q35-4.0.1", 2),
        ("pc-q35-4.2", 2),
        ("pc-q35-5.0", 1),
        ("pc-i440fx-5.1", 1),
    ],
)
@pytest.mark.parametrize("goal", ["throughput", "balanced"])
def test_an_old_version_lacks_what_came_later(machine: str, lacks: int, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(machine=machine), goal=goal)
    assert machine in finding.saw
    assert finding.saw.count("virtio disks") == lacks
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.MANUAL)
    family = "-q35" if "q35" in machine else "-i440fx"
    assert f"pc{family}-" in finding.by_hand[0]
    assert "QEMU 7.2.0" in (finding.note or "")


@pytest.mark.parametrize(
    "machine", ["pc-q35-5.2", "pc-q35-7.2", "pc-i440fx-10.0", "q35", "pc", "pc-q35-rhel8.2.0", "virt-4.1"]
)
def test_newer_and_other_machines_are_silent(machine: str) -> None:
    assert silent(RULE, HOST, a_domain(machine=machine))


@pytest.mark.parametrize("machine", ["pc", "pc-i440fx-7.2"])
@pytest.mark.parametrize("device", [HOSTDEV, "<iommu model='virtio'/>"])
def test_a_device_of_the_host_wants_pci_express(machine: str, device: str) -> None:
    finding = found(RULE, HOST, a_domain(machine=machine, devices=device))
    assert "has no PCI Express" in finding.saw
    assert finding.subject.endswith("/family")


def test_on_q35_it_has_it() -> None:
    assert silent(RULE, HOST, a_domain(devices=HOSTDEV))


def test_without_libvirt_it_says_that_the_version_is_not_known() -> None:
    finding = found(RULE, replace(HOST, hypervisor=None), a_domain(machine="pc-q35-3.1"))
    assert "not known" in (finding.note or "")


def test_goal_latency_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(machine="pc-q35-3.1"), goal="latency")
