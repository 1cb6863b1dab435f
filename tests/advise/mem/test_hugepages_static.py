"""mem.hugepages.static: a large guest that must not wait has no pages from a pool of hugepages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.mem.builders import HUGEPAGES, REAL_TIME, VHOST_USER, a_memory_guest, a_memory_host
from tests.builders import bound_to, cells, found, silent, values

RULE = "mem.hugepages.static"
ELEMENT = "<hugepages><page size='2048' unit='KiB'/></hugepages>"
WANTED = {"domain_xml:memoryBacking/hugepages": ELEMENT}
ROOM = a_memory_host(pools={0: (2048, 2048)})


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_without_a_reason_it_is_said_in_a_low_voice(goal: str) -> None:
    finding = found(RULE, ROOM, a_memory_guest().domain, goal=goal)
    assert values(finding) == WANTED
    assert (finding.severity, finding.sure, finding.safety) == (Severity.LOW, Sure.LIKELY, Safety.DISRUPTIVE)
    assert "load not measured" in (finding.note or "")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, a_memory_host(enabled="never"), a_memory_guest().domain, goal=goal)


@pytest.mark.parametrize(
    ("words", "said"),
    [({"extra": REAL_TIME}, "vcpusched"), ({"devices": VHOST_USER}, "interface of type vhostuser")],
)
def test_a_reason_makes_it_certain(words: dict[str, Any], said: str) -> None:
    finding = found(RULE, ROOM, a_memory_guest(**words).domain, goal="latency")
    assert (finding.severity, finding.sure) == (Severity.MEDIUM, Sure.CERTAIN)
    assert said in finding.saw


@pytest.mark.parametrize("enabled", ["never", None])
def test_a_host_without_other_huge_pages_is_a_reason(enabled: str | None) -> None:
    host = a_memory_host(enabled=enabled, pools={0: (2048, 2048)})
    assert found(RULE, host, a_memory_guest().domain, goal="latency").severity is Severity.MEDIUM


@pytest.mark.parametrize(("memory", "speaks"), [(4, True), (3.99, False)])
def test_small_guests_do_not_count(memory: float, speaks: bool) -> None:
    assert silent(RULE, ROOM, a_memory_guest(memory_gib=memory).domain, goal="latency") is not speaks


def test_a_guest_in_a_pool_is_right() -> None:
    assert silent(RULE, ROOM, a_memory_guest(backing=HUGEPAGES).domain, goal="latency")
    assert silent(RULE, ROOM, a_memory_guest(virt_type="xen").domain, goal="latency")


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ({}, {}),
        ({0: (4096, 2047)}, {}),
        ({0: (2048, 2047), 1: (2048, 2048)}, {"numatune": bound_to("0")}),
        ({0: (2048, 2048), 1: (0, 0)}, {"cpu": cells(("0", 2), ("1", 2)), "numatune": bound_to("1")}),
        ({0: (4096, 4096)}, {"cpu": cells(("0", 2.001), ("1", 1.999))}),
    ],
)
def test_without_room_in_the_pool_a_person_makes_it_first(
    pools: dict[int, tuple[int, int]], words: dict[str, Any]
) -> None:
    finding = found(RULE, a_memory_host(nodes=2, pools=pools), a_memory_guest(**words).domain, goal="latency")
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())
    assert any("2048 pages" in line or "2049 pages" in line for line in finding.by_hand)


def test_room_on_the_right_node_is_enough() -> None:
    host = a_memory_host(nodes=2, pools={0: (0, 0), 1: (2048, 2048)})
    assert values(found(RULE, host, a_memory_guest(numatune=bound_to("1")).domain, goal="latency")) == WANTED
    # A policy that only prefers a node takes pages from any.
    preferred = a_memory_guest(numatune=bound_to("0", "preferred")).domain
    assert values(found(RULE, host, preferred, goal="latency")) == WANTED


def test_pages_that_another_guest_waits_for_are_not_taken() -> None:
    waiting = a_memory_guest("waiting", backing=HUGEPAGES, memory_gib=1, running=False).domain
    assert found(RULE, ROOM, a_memory_guest().domain, waiting, goal="latency").safety is Safety.MANUAL
    runs = a_memory_guest("runs", backing=HUGEPAGES, memory_gib=1).domain
    assert found(RULE, ROOM, a_memory_guest().domain, runs, goal="latency").safety is Safety.DISRUPTIVE


def test_a_locked_guest_is_left_to_a_person_unless_it_is_real_time() -> None:
    for extra, safety in (("", Safety.MANUAL), (REAL_TIME, Safety.DISRUPTIVE)):
        guest = a_memory_guest(backing="<locked/>", extra=extra).domain
        assert found(RULE, ROOM, guest, goal="latency").safety is safety


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    transient = replace(a_memory_guest().domain, persistent=False, inactive=None)
    assert found(RULE, ROOM, transient, goal="latency").safety is Safety.MANUAL
