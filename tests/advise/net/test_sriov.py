"""net.sriov: a guest with very many packets goes through software although its NIC has virtual functions."""

from __future__ import annotations

import pytest

from kvmnb.facts.host import Host
from kvmnb.facts.network import Bond
from tests.advise.net.builders import a_bridge, a_nic, functions, interface, with_nics
from tests.advise.windows import a_nic_load, a_window
from tests.builders import a_domain, a_fact, found, judged, silent

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


@pytest.mark.parametrize(
    ("rates", "fires"),
    [
        ({"rx_packets_per_second": 0.6e6, "tx_packets_per_second": 0.5e6}, True),
        ({"rx_packets_per_second": 1e6}, False),
        ({"tx_bytes_per_second": 2.6e9}, True),
        ({"tx_bytes_per_second": 2.5e9}, False),
    ],
)
def test_a_million_packets_or_20_gbit_are_told(rates: dict[str, float], fires: bool) -> None:
    guest = a_domain(devices=interface(target="vnet0"))
    load = a_window(nics=(a_nic_load("vnet0", **rates),))
    assert silent(RULE, host(8), guest, goal="throughput", load=load) is not fires
    if fires:
        assert "eth0 can make 8 virtual functions" in found(RULE, host(8), guest, goal="throughput", load=load).saw
