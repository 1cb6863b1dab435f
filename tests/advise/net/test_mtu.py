"""net.mtu: the MTU is not the same along a guest's way out of the host."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from tests.advise.net.builders import KEY, a_bridge, a_nic, interface, with_nics
from tests.builders import a_domain, a_host, found, judged, silent

RULE = "net.mtu"


def hosts(nic: int = 1500, bridge: int = 1500, tap: int = 1500, **words: Any) -> Host:
    return with_nics(
        a_bridge("br0", "eth0", "vnet0", "vnet1", mtu=bridge),
        a_nic("eth0", master="br0", mtu=nic),
        a_nic("vnet0", "tap", master="br0", mtu=tap),
        a_nic("vnet1", "tap", master="br0", mtu=400),
        host=a_host(**words),
    )


def guest(size: int | None = None, **words: Any) -> Domain:
    inside = f"<mtu size='{size}'/>" if size is not None else ""
    live = {"devices": interface(target="vnet0", inside=inside)}
    return a_domain(devices=interface(inside=inside), live=live, **words)


@pytest.mark.parametrize(("size", "every"), [(None, 1500), (1500, 1500), (9000, 9000), (None, 9000)])
def test_one_size_is_right_whatever_other_guests_have(size: int | None, every: int) -> None:
    assert silent(RULE, hosts(every, every, every), guest(size), goal="throughput")


@pytest.mark.parametrize("goal", ["latency", "balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, hosts(nic=9000), guest(), goal=goal)


@pytest.mark.parametrize(
    ("sizes", "size"), [((1500, 9000, 9000), None), ((1500, 1500, 9000), None), ((1500, 1500, 1500), 1501)]
)
def test_a_guest_that_sends_more_than_the_uplink_takes_loses_it(sizes: tuple[int, int, int], size: int | None) -> None:
    finding = found(RULE, hosts(*sizes), guest(size), goal="throughput")
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.MANUAL)
    assert "are lost" in (finding.note or "")
    assert finding.subject == f"domain/guest/interface/{KEY}"
    assert "ping -M do -s 1472" in finding.by_hand[-1]
    assert finding.by_hand[1:3] == ("ip link set dev eth0 mtu SIZE", "ip link set dev br0 mtu SIZE")


def test_an_uplink_that_takes_more_lets_the_guests_packets_pass() -> None:
    finding = found(RULE, hosts(nic=9000), guest(), goal="throughput")
    assert finding.severity is Severity.LOW
    assert "own packets pass" in (finding.note or "")
    assert "br0 1500, eth0 9000, its tap vnet0 1500" in finding.saw


def test_a_smaller_guest_can_send_all_it_has() -> None:
    assert found(RULE, hosts(1500, 1500, 1400), guest(), goal="throughput").severity is Severity.LOW
    assert found(RULE, hosts(), guest(1400), goal="throughput").severity is Severity.LOW


def test_a_macvtap_is_held_against_the_nic_below() -> None:
    host = with_nics(a_nic("eth0", mtu=1500))
    size = "<mtu size='{}'/>"
    wide = a_domain(devices=interface(type="direct", bridge="eth0", inside=size.format(9000)))
    fits = a_domain(devices=interface(type="direct", bridge="eth0", inside=size.format(1500)))
    assert found(RULE, host, wide, goal="throughput").severity is Severity.HIGH
    assert silent(RULE, host, fits, goal="throughput")


def test_the_bridge_of_a_network_is_found_by_the_running_guests_tap() -> None:
    one = a_domain(devices=interface(type="network"), live={"devices": interface(type="network", target="vnet0")})
    assert found(RULE, hosts(bridge=9000), one, goal="throughput")


def test_a_bridge_that_is_not_seen_is_not_checked() -> None:
    result = judged(RULE, with_nics(), guest(), goal="throughput")
    assert "br0" in result.not_checked[0].reason
    off = a_domain(devices=interface(type="network"), running=False)
    assert judged(RULE, hosts(), off, goal="throughput").not_checked
    ovs = with_nics(a_nic("br0", "openvswitch"))
    assert "Open vSwitch" in judged(RULE, ovs, guest(), goal="throughput").not_checked[0].reason


def test_a_finding_stands_beside_what_is_not_seen() -> None:
    both = interface(type="network", mac="52:54:00:00:00:02") + interface(inside="<mtu size='9000'/>")
    assert found(RULE, hosts(), a_domain(devices=both, running=False), goal="throughput")


@pytest.mark.parametrize("type", ["user", "hostdev", "ethernet", "vhostuser"])
def test_other_types_are_left(type: str) -> None:
    assert silent(RULE, hosts(nic=9000), a_domain(devices=interface(type=type)), goal="throughput")


@pytest.mark.parametrize(("libvirt", "has"), [("3.0.0", False), ("3.1.0", True)])
def test_an_old_libvirt_cannot_tell_the_guest(libvirt: str, has: bool) -> None:
    finding = found(RULE, hosts(nic=9000, libvirt=libvirt), guest(), goal="throughput")
    assert any("virsh edit" in line for line in finding.by_hand) is has
    assert any("3.1.0" in line for line in finding.by_hand) is not has
