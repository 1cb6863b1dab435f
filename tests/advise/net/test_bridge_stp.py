"""net.bridge.stp: a spanning tree that makes guests wait, or that is off where there may be a loop."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.host import Host
from tests.advise.net.builders import a_bridge, a_nic, interface, turned, with_nics
from tests.builders import a_domain, found, silent

RULE = "net.bridge.stp"
GUEST = a_domain(devices=interface())
TWO = a_domain(devices=interface() + interface(mac="52:54:00:00:00:02", bridge="br1"))


def host(stp: bool, delay: int, *outs: str) -> Host:
    nics = [a_nic(name, master="br0") for name in outs]
    return with_nics(a_bridge("br0", *outs, "vnet0", stp=stp, delay=delay), *nics, a_nic("vnet0", "tap", master="br0"))


@pytest.mark.parametrize("outs", [("eth0",), ()])
def test_a_long_delay_becomes_the_least(outs: tuple[str, ...]) -> None:
    one = host(True, 1500, *outs)
    finding = found(RULE, one, GUEST)
    assert [(str(want.tunable), want.value) for want in finding.wants] == [
        ("sysfs:host:class/net/br0/bridge/forward_delay", "200")
    ]
    assert (finding.severity, finding.safety, finding.sure) == (Severity.LOW, Safety.DISRUPTIVE, Sure.LIKELY)
    assert "15 s" in finding.saw
    assert "30 s" in finding.saw
    assert silent(RULE, turned(one, finding.wants), GUEST)


@pytest.mark.parametrize(("delay", "fires"), [(200, False), (201, True), (0, False)])
def test_two_seconds_are_the_border(delay: int, fires: bool) -> None:
    assert silent(RULE, host(True, delay, "eth0"), GUEST) is not fires


def test_with_several_ways_out_it_stays() -> None:
    finding = found(RULE, host(True, 1500, "eth0", "eth1"), GUEST)
    assert (finding.severity, finding.safety, finding.wants) == (Severity.INFO, Safety.MANUAL, ())
    assert "eth0, eth1" in finding.saw


def test_a_name_that_cannot_be_turned_is_left_to_a_person() -> None:
    one = with_nics(a_bridge("br:0", "eth0", stp=True, delay=1500), a_nic("eth0", master="br:0"))
    assert found(RULE, one, a_domain(devices=interface(bridge="br:0"))).safety is Safety.MANUAL


def test_without_a_spanning_tree_two_ways_out_may_loop() -> None:
    finding = found(RULE, host(False, 0, "eth0", "eth1"), GUEST)
    assert (finding.severity, finding.safety, finding.sure) == (Severity.LOW, Safety.MANUAL, Sure.POSSIBLE)
    assert "type bridge stp_state 1" in finding.by_hand[1]


def test_without_a_spanning_tree_a_guest_with_two_nics_is_told() -> None:
    finding = found(RULE, host(False, 0, "eth0"), TWO)
    assert finding.severity is Severity.INFO
    assert "guest" in finding.saw


def test_without_a_spanning_tree_one_way_out_is_right() -> None:
    assert silent(RULE, host(False, 0, "eth0"), GUEST)
    elsewhere = a_domain(devices=interface(bridge="br8") + interface(mac="52:54:00:00:00:02", bridge="br9"))
    assert silent(RULE, host(False, 0, "eth0"), GUEST, elsewhere)


def test_a_bridge_without_guests_is_left() -> None:
    assert silent(RULE, host(True, 1500, "eth0"))


@pytest.mark.parametrize("goal", ["latency", "throughput", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host(True, 1500, "eth0"), GUEST, goal=goal)


def test_the_ways_out_are_told_only_where_there_are_several() -> None:
    off, file = "spanning tree is off on br0", "(/sys/class/net/br0/bridge/stp_state)"
    both = "guests have two bridged NICs, one of them on it (guest)"
    outs = [("eth0",), ("eth0", "eth1"), ("eth0", "eth1", "eth2")]
    assert [found(RULE, host(False, 0, *out), TWO).saw for out in outs] == [
        f"{off} {file}, and {both}",
        f"{off} {file}, and it has 2 ways out (eth0, eth1) and {both}",
        f"{off} {file}, and it has 3 ways out (eth0, eth1, eth2) and {both}",
    ]
    three = found(RULE, host(False, 0, "eth0", "eth1", "eth2"), GUEST)
    assert (three.severity, "guests have" in three.saw) == (Severity.LOW, False)


def test_three_ways_out_keep_their_delay() -> None:
    finding = found(RULE, host(True, 1550, "eth0", "eth1", "eth2"), GUEST)
    assert finding.wants == ()
    assert finding.saw == (
        "spanning tree is on with a forward delay of 15.5 s (/sys/class/net/br0/bridge), so a guest's port forwards "
        "after 31 s; it has 3 ways out: eth0, eth1, eth2"
    )


def test_a_guest_with_three_nics_may_close_a_loop_too() -> None:
    cards = (interface(mac=f"52:54:00:00:00:0{number}", bridge=f"br{number}") for number in (0, 1, 2))
    assert "guests have two bridged NICs" in found(RULE, host(False, 0, "eth0"), a_domain(devices="".join(cards))).saw
