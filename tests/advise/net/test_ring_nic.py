"""net.ring.nic: a NIC that carries guests loses packets, or too few CPUs take them."""

from __future__ import annotations

import pytest

from kvmnb.facts.ethtool import Ethtool
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.network import NicCounters
from tests.advise.net.builders import a_bridge, a_nic, channels, interface, rings, with_nics
from tests.advise.windows import a_cpu_load, a_nic_load, a_window
from tests.builders import a_domain, a_fact, a_host, found, judged, silent

RULE = "net.ring.nic"
GUEST = a_domain(devices=interface())


def host(missed: int | None = 0, fifo: int | None = 0, rx: int = 512, combined: int = 4, most: int = 64) -> Host:
    return with_nics(
        a_bridge("br0", "eth0"),
        a_nic(
            "eth0",
            master="br0",
            numa_node=1,
            counters=a_fact(NicCounters, rx_missed_errors=missed, rx_fifo_errors=fifo),
            ethtool=a_fact(Ethtool, rings=rings(rx, 4096), channels=channels(combined, most)),
        ),
        host=a_host(nodes=2, cores=4),
    )


@pytest.mark.parametrize(("missed", "fifo"), [(1, 0), (0, 1), (5, None)])
def test_lost_packets_need_a_window(missed: int, fifo: int | None) -> None:
    result = judged(RULE, host(missed, fifo), GUEST, goal="throughput")
    assert "rx_missed_errors and rx_fifo_errors of eth0: no window" in result.not_checked[0].reason


def test_without_losses_and_with_enough_channels_nothing_is_wrong() -> None:
    assert silent(RULE, host(), GUEST, goal="throughput")
    assert silent(RULE, host(None, None), GUEST, goal="throughput")


def test_the_longest_ring_is_all_that_can_be_had() -> None:
    assert silent(RULE, host(missed=9, rx=4096), GUEST, goal="throughput")


@pytest.mark.parametrize(("combined", "most", "enough"), [(4, 64, True), (3, 64, False), (3, 3, True), (1, 2, False)])
def test_few_channels_need_a_window(combined: int, most: int, enough: bool) -> None:
    result = judged(RULE, host(combined=combined, most=most), GUEST, goal="throughput")
    assert bool(result.checked) is enough
    assert bool(result.not_checked) is not enough


def test_a_nic_that_carries_no_guest_is_left() -> None:
    assert silent(RULE, host(missed=9), goal="throughput")


@pytest.mark.parametrize("goal", ["balanced", "latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert not judged(RULE, host(missed=9), GUEST, goal=goal).not_checked


@pytest.mark.parametrize(("lost", "fires"), [(0.5, True), (0.0, False), (None, False)])
def test_packets_that_are_lost_now_are_told(lost: float | None, fires: bool) -> None:
    load = a_window(nics=(changed(a_nic_load("eth0"), rx_lost_per_second=lost),), cpus=(a_cpu_load(0, 0.1),))
    assert silent(RULE, host(1), GUEST, goal="throughput", load=load) is not fires
    if fires:
        finding = found(RULE, host(1), GUEST, goal="throughput", load=load)
        assert finding.by_hand == ("ethtool -G eth0 rx 1024  # the link goes down",)


@pytest.mark.parametrize(("softirq", "fires"), [(0.81, True), (0.80, False)])
def test_one_cpu_full_of_soft_interrupts_is_told_where_channels_are_few(softirq: float, fires: bool) -> None:
    load = a_window(cpus=(a_cpu_load(0, 0.1), a_cpu_load(3, softirq)))
    assert silent(RULE, host(combined=1), GUEST, goal="throughput", load=load) is not fires
    if fires:
        assert "CPU 3 spends 81%" in found(RULE, host(combined=1), GUEST, goal="throughput", load=load).saw
