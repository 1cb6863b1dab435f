"""net.ring.virtio: the ring of a virtio NIC overflows, or asks for more than its backend takes."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.facts.network import NicCounters
from tests.advise.net.builders import AT, a_nic, interface, with_nics
from tests.advise.windows import a_guest_load, a_nic_load, a_window
from tests.builders import a_domain, a_fact, a_host, found, judged, silent, values

RULE = "net.ring.virtio"


def losing(dropped: int) -> Host:
    return with_nics(a_nic("vnet0", "tap", counters=a_fact(NicCounters, tx_dropped=dropped)))


def guest(driver: str = "", **words: Any) -> Domain:
    return a_domain(
        devices=interface(driver=driver), live={"devices": interface(driver=driver, target="vnet0")}, **words
    )


@pytest.mark.parametrize("goal", ["throughput", "latency"])
def test_a_transmit_ring_that_a_tap_cannot_have_becomes_256(goal: str) -> None:
    finding = found(RULE, a_host(), a_domain(devices=interface(driver="tx_queue_size='257'")), goal=goal)
    assert values(finding) == {f"{AT}/driver/@tx_queue_size": "256"}
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.DISRUPTIVE)
    assert "QEMU 10" in (finding.note or "")


def test_256_entries_and_other_backends_are_right() -> None:
    assert silent(RULE, losing(0), guest("tx_queue_size='256'"), goal="throughput")
    user = interface(type="vhostuser", driver="tx_queue_size='1024'")
    assert silent(RULE, a_host(), a_domain(devices=user), goal="throughput")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, a_host(), guest("tx_queue_size='1024'"), goal=goal)


def test_a_tap_that_lost_packets_needs_a_window() -> None:
    result = judged(RULE, losing(1), guest(), goal="throughput")
    assert not result.findings
    assert "no window" in result.not_checked[0].reason


def test_a_tap_that_never_lost_any_is_right() -> None:
    assert silent(RULE, losing(0), guest(), goal="throughput")


@pytest.mark.parametrize(("entries", "checked"), [(1024, True), (1023, False)])
def test_the_longest_ring_is_all_that_can_be_had(entries: int, checked: bool) -> None:
    result = judged(RULE, losing(5), guest(f"rx_queue_size='{entries}'"), goal="throughput")
    assert bool(result.not_checked) is not checked


def test_a_tap_that_is_not_seen_is_not_checked() -> None:
    assert judged(RULE, a_host(), guest(), goal="throughput").not_checked


def test_a_shut_off_guest_loses_nothing() -> None:
    assert silent(RULE, a_host(), a_domain(devices=interface(), running=False), goal="throughput")


@pytest.mark.parametrize(
    ("lost", "run", "wait", "fires"),
    [(1.01, 0.5, 0.0, True), (0.99, 0.5, 0.0, False), (5.0, 0.8, 0.11, False), (5.0, 0.8, 0.1, True)],
)
def test_a_tap_that_loses_packets_now_gets_a_longer_ring(lost: float, run: float, wait: float, fires: bool) -> None:
    tap = a_nic_load("vnet0", tx_dropped_per_second=lost, tx_packets_per_second=1000 - lost)
    load = a_window(a_guest_load([(0.1, 0.0), (run, wait)]), nics=(tap,))
    assert silent(RULE, losing(1), guest(), goal="throughput", load=load) is not fires
    if fires:
        finding = found(RULE, losing(1), guest(), goal="throughput", load=load)
        assert values(finding) == {f"{AT}/driver/@rx_queue_size": "1024"}
