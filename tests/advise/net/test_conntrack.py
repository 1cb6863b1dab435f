"""net.conntrack: the table of tracked connections is nearly full."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.network import Conntrack
from tests.advise.net.builders import table, turned
from tests.advise.windows import a_window
from tests.builders import a_host, found, judged, silent

RULE = "net.conntrack"


def host(one: Conntrack | None) -> Host:
    return changed(a_host(), conntrack=one)


@pytest.mark.parametrize(("count", "larger"), [(81, "200"), (100, "200"), (101, "400")])
def test_a_table_that_is_nearly_full_is_made_larger(count: int, larger: str) -> None:
    one = host(table(count, 100))
    finding = found(RULE, one, goal="throughput")
    assert [(str(want.tunable), want.value) for want in finding.wants] == [
        ("sysctl:host:net.netfilter.nf_conntrack_max", larger)
    ]
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.SAFE)
    assert silent(RULE, turned(one, finding.wants), goal="throughput")


def test_up_to_four_fifths_is_right() -> None:
    assert silent(RULE, host(table(80, 100)), goal="throughput")
    assert silent(RULE, host(table(80, 100, drop=None)), goal="throughput")


def test_without_the_module_there_is_nothing() -> None:
    assert silent(RULE, host(None), goal="throughput")
    assert silent(RULE, host(table(1, 0)), goal="throughput")


def test_lost_packets_with_room_need_a_window() -> None:
    assert "no window" in judged(RULE, host(table(1, 100, drop=1)), goal="throughput").not_checked[0].reason


@pytest.mark.parametrize(("buckets", "told"), [(49, True), (50, False), (None, False)])
def test_a_small_hash_is_told(buckets: int | None, told: bool) -> None:
    finding = found(RULE, host(table(90, 100, buckets=buckets)), goal="throughput")
    assert (finding.note is not None) is told


@pytest.mark.parametrize("goal", ["balanced", "latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host(table(99, 100)), goal=goal)


def test_packets_that_are_lost_now_double_the_table() -> None:
    one = host(table(1, 100, drop=1))
    finding = found(RULE, one, goal="throughput", load=a_window(conntrack_dropped_per_second=0.5))
    assert [(str(want.tunable), want.value) for want in finding.wants] == [
        ("sysctl:host:net.netfilter.nf_conntrack_max", "200")
    ]
    assert silent(RULE, one, goal="throughput", load=a_window(conntrack_dropped_per_second=0.0))


def test_what_a_larger_table_takes_is_told() -> None:
    full = found(RULE, host(table(90_000, 102_400, buckets=1)), goal="throughput")
    losing = found(
        RULE,
        host(table(1, 204_800, drop=1)),
        goal="throughput",
        load=a_window(conntrack_dropped_per_second=2.0),
    )
    assert full.costs == ("up to 31.25 MiB more memory when the table is full",)
    assert full.note == "set hashsize to 51200 too, where nf_conntrack_buckets (1) is below it"
    assert losing.costs == ("up to 62.5 MiB more memory when the table is full",)


def test_more_buckets_than_needed_are_no_matter() -> None:
    assert found(RULE, host(table(90, 100, buckets=51)), goal="throughput").note is None


def test_a_table_of_one_place_can_be_full() -> None:
    assert not silent(RULE, host(table(1, 1)), goal="throughput")
