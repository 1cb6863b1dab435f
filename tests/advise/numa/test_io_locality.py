"""numa.io_locality: the guest runs far from a device that it uses."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.network import Nic, Sriov, Vf
from kvmnb.facts.storage import BlockDevice
from tests.builders import a_domain, a_fact, a_host, found, judged, silent

RULE = "numa.io_locality"
HOSTDEV = (
    "<hostdev mode='subsystem' type='pci' managed='yes'>"
    "<source><address domain='0x0000' bus='0x06' slot='0x02' function='0x1'/></source></hostdev>"
)
CARD = (
    "<interface type='hostdev'><mac address='52:54:00:00:00:01'/>"
    "<source><address type='pci' domain='0x0000' bus='0x06' slot='0x02' function='0x1'/></source></interface>"
)
BRIDGED = "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>"
DIRECT = "<interface type='direct'><mac address='52:54:00:00:00:01'/><source dev='eth0' mode='bridge'/></interface>"
DISK = "<disk type='block' device='disk'><source dev='/dev/nvme0n1'/><target dev='vda' bus='virtio'/></disk>"
NEAR: dict[str, Any] = {"vcpu_cpuset": "4-7"}
FAR: dict[str, Any] = {"vcpu_cpuset": "0-3"}


def nic(name: str, **words: Any) -> Nic:
    known = {"name": name, "numa_node": None, "master": None, "lower": (), "address": None, "sriov": None} | words
    return changed(a_fact(Nic), **{"kind": "physical", **known})


def the_host(node: int | None = 1) -> Host:
    vf = a_fact(Vf, number=0, address="0000:06:02.1")
    cards = (
        nic("br0", kind="bridge"),
        nic("eth0", master="br0", numa_node=node, address="0000:06:00.0", sriov=a_fact(Sriov, vfs=(vf,))),
    )
    disk = changed(a_fact(BlockDevice), name="nvme0n1", numa_node=node)
    return changed(a_host(nodes=2, cores=4), nics=cards, blocks=(disk,))


@pytest.mark.parametrize("device", [HOSTDEV, CARD])
@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_a_device_of_the_hosts_on_another_node_is_found(device: str, goal: str) -> None:
    finding = found(RULE, the_host(), a_domain(devices=device, **FAR), goal=goal)
    assert "held to node 0" in finding.saw
    assert "PCI device 0000:06:02.1 is on node 1" in finding.saw
    assert (finding.severity, finding.sure, finding.safety) == (Severity.MEDIUM, Sure.CERTAIN, Safety.MANUAL)


@pytest.mark.parametrize(("device", "name"), [(BRIDGED, "card eth0"), (DIRECT, "card eth0"), (DISK, "disk nvme0n1")])
def test_what_is_behind_the_guests_devices_is_only_told(device: str, name: str) -> None:
    finding = found(RULE, the_host(), a_domain(devices=device, **FAR), goal="latency")
    assert f"{name} is on node 1" in finding.saw
    assert (finding.severity, finding.sure) == (Severity.INFO, Sure.LIKELY)
    assert "not measured" in (finding.note or "")


@pytest.mark.parametrize("device", [HOSTDEV, CARD, BRIDGED, DIRECT, DISK])
def test_a_guest_near_its_devices_is_right(device: str) -> None:
    assert silent(RULE, the_host(), a_domain(devices=device, **NEAR), goal="latency")


def test_a_guest_that_may_run_anywhere_is_not_far() -> None:
    assert silent(RULE, the_host(), a_domain(devices=HOSTDEV), goal="latency")


@pytest.mark.parametrize("node", [None, -1])
def test_a_device_without_a_node_is_not_far(node: int | None) -> None:
    assert silent(RULE, the_host(node), a_domain(devices=HOSTDEV + BRIDGED + DISK, **FAR), goal="latency")


def test_a_device_that_no_card_knows_is_not_checked() -> None:
    other = HOSTDEV.replace("0x06", "0x41")
    result = judged(RULE, the_host(), a_domain(devices=other, **FAR), goal="latency")
    assert "0000:41:02.1" in result.not_checked[0].reason


def test_a_host_of_one_node_has_no_far_devices() -> None:
    assert silent(RULE, a_host(cores=8), a_domain(devices=HOSTDEV, **FAR), goal="latency")


def test_goal_balanced_hears_nothing() -> None:
    assert silent(RULE, the_host(), a_domain(devices=HOSTDEV, **FAR))


def test_masks_of_cpus_that_the_host_has_not_tell_no_node() -> None:
    assert silent(RULE, the_host(), a_domain(devices=HOSTDEV, vcpu_cpuset="90-91"), goal="latency")
