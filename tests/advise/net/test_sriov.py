"""net.sriov: a guest with very many packets goes through software although its NIC has virtual functions."""

from __future__ import annotations

import pytest

from kvmnb.facts.host import Host
from kvmnb.facts.network import Bond
from tests.advise.net.builders import a_bridge, a_nic, functions, interface, with_nics
from tests.builders import a_domain, a_fact, judged, silent

RULE = "net.sriov"
GUEST = a_domain(devices=interface())


def host(total: int | None) -> Host:
    sriov = None if total is None else functions(total)
    return with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", sriov=sriov))


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_an_uplink_with_functions_needs_a_window(goal: str) -> None:
    result = judged(RULE, host(1), GUEST, goal=goal)
    assert "eth0 can make virtual functions: no window" in result.not_checked[0].reason


@pytest.mark.parametrize("total", [None, 0])
def test_an_uplink_without_functions_is_all_there_is(total: int | None) -> None:
    assert silent(RULE, host(total), GUEST, goal="throughput")


def test_the_nics_of_a_bond_and_below_a_macvtap_count() -> None:
    bonded = with_nics(
        a_bridge("br0", "bond0"),
        a_nic("bond0", "bond", master="br0", bond=a_fact(Bond, mode=None, slaves=("eth0",))),
        a_nic("eth0", master="bond0", sriov=functions(8)),
    )
    assert judged(RULE, bonded, GUEST, goal="throughput").not_checked
    direct = a_domain(devices=interface(type="direct", bridge="eth0"))
    assert judged(RULE, host(8), direct, goal="throughput").not_checked


def test_a_shut_off_guest_sends_nothing() -> None:
    assert silent(RULE, host(8), a_domain(devices=interface(), running=False), goal="throughput")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert not judged(RULE, host(8), GUEST, goal=goal).not_checked
