"""mem.hugepages.pool: the pool does not hold what the guests need, or holds what nobody needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.core.units import GIB
from kvmnb.facts.domain import Domain, State
from tests.advise.mem.builders import HUGEPAGES, a_memory_guest, a_memory_host
from tests.builders import a_fact, bound_to, cells, found, judged, silent, values

RULE = "mem.hugepages.pool"
FOLDER = "sysfs:devices/system/node/node{}/hugepages/hugepages-2048kB/nr_hugepages"
HUGE = "<hugepages><page size='1' unit='GiB'/></hugepages>"


def waiting(name: str = "guest", backing: str = HUGEPAGES, **words: Any) -> Domain:
    return a_memory_guest(name, backing=backing, **{"running": False, **words}).domain


def test_a_pool_that_is_short_is_made_larger() -> None:
    finding = found(RULE, a_memory_host(pools={0: (1000, 100)}), waiting(), goal="latency")
    assert values(finding) == {FOLDER.format(0): "2948"}
    assert (finding.subject, finding.severity) == ("host/hugepages/hugepages-2048kB", Severity.HIGH)
    assert (finding.safety, finding.sure) == (Safety.DISRUPTIVE, Sure.CERTAIN)
    assert "need 2048 pages of 2 MiB" in finding.saw


@pytest.mark.parametrize(("free", "speaks"), [(2047, True), (2048, False)])
def test_what_is_free_is_compared_with_what_is_needed(free: int, speaks: bool) -> None:
    assert silent(RULE, a_memory_host(pools={0: (2048, free)}), waiting(), goal="throughput") is not speaks


def test_a_part_of_a_page_is_a_page() -> None:
    guest = waiting(memory_gib=4 + 1 / 1024)
    assert not silent(RULE, a_memory_host(pools={0: (2048, 2048)}), guest, goal="latency")
    assert silent(RULE, a_memory_host(pools={0: (2049, 2049)}), guest, goal="latency")


def test_guests_that_run_or_do_not_start_by_themselves_are_not_counted() -> None:
    host = a_memory_host(pools={0: (10, 10)})
    assert silent(RULE, host, waiting(running=True), goal="latency")
    for autostart, quiet in ((False, True), (True, False)):
        known = replace(waiting(), state=a_fact(State, name="shutoff", autostart=autostart))
        assert silent(RULE, host, known, goal="latency") is quiet
    assert silent(RULE, host, waiting(backing=""), goal="latency")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, a_memory_host(pools={0: (0, 0)}), waiting(), goal=goal)


def test_pages_on_another_node_do_not_help() -> None:
    host = a_memory_host(nodes=2, pools={0: (4096, 4096), 1: (10, 10)})
    assert values(found(RULE, host, waiting(numatune=bound_to("1")), goal="latency")) == {FOLDER.format(1): "2048"}
    assert silent(RULE, host, waiting(numatune=bound_to("1", "preferred"), vcpus=5), goal="latency")
    assert silent(RULE, host, waiting(numatune=bound_to("0")), goal="latency")


def test_a_guest_that_fits_one_node_needs_its_pages_there() -> None:
    host = a_memory_host(nodes=2, pools={0: (1024, 1024), 1: (1024, 1024)})
    (path,) = values(found(RULE, host, waiting(), goal="latency"))
    assert path in (FOLDER.format(0), FOLDER.format(1))
    assert silent(RULE, host, waiting(vcpus=5), goal="latency")


def test_each_cell_needs_its_pages_on_its_node() -> None:
    tune = (
        "<numatune><memnode cellid='0' mode='strict' nodeset='0'/>"
        "<memnode cellid='1' mode='strict' nodeset='1'/></numatune>"
    )
    guest = waiting(cpu=cells(("0", 3), ("1", 1)), numatune=tune)
    host = a_memory_host(nodes=2, pools={0: (1024, 1024), 1: (1024, 1024)})
    assert values(found(RULE, host, guest, goal="latency")) == {FOLDER.format(0): "1536"}


def test_guests_that_fit_alone_may_not_fit_together() -> None:
    host = a_memory_host(nodes=2, pools={0: (2048, 2048), 1: (1024, 1024)})
    # Five vCPUs are more than a node has, so this one may come from anywhere.
    bound, free = waiting("bound", numatune=bound_to("0")), waiting("free", vcpus=5)
    assert silent(RULE, host, bound, goal="latency")
    assert silent(RULE, host, free, goal="latency")
    finding = found(RULE, host, bound, free, goal="latency")
    assert "missing are 1024 on node 0-1" in finding.saw


@pytest.mark.parametrize(("available", "safety"), [(16.8, Safety.DISRUPTIVE), (16.7, Safety.MANUAL)])
def test_the_host_keeps_its_own_memory(available: float, safety: Safety) -> None:
    # 4 GiB are asked for, 12.8 GiB are a tenth of the memory and more than the host's reserve.
    host = a_memory_host(available_gib=available, pools={0: (0, 0)})
    assert found(RULE, host, waiting(), goal="latency").safety is safety


def test_a_node_without_free_memory_is_left_to_a_person() -> None:
    host = a_memory_host(pools={0: (0, 0)}, available_gib=120)
    finding = found(RULE, host, waiting(memory_gib=65), goal="latency")
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())
    assert any("hugepagesz=2048K hugepages=0:33280" in line for line in finding.by_hand)


def test_pages_of_a_gib_are_reserved_at_boot() -> None:
    host = a_memory_host(pools={0: (0, 0)}, size=GIB)
    finding = found(RULE, host, waiting(backing=HUGE), goal="latency")
    assert finding.safety is Safety.MANUAL
    assert any("hugepagesz=1G hugepages=0:4" in line for line in finding.by_hand)


@pytest.mark.parametrize(("free", "speaks"), [(6555, True), (6553, False)])
def test_idle_pages_above_a_tenth_are_told(free: int, speaks: bool) -> None:
    host = a_memory_host(pools={0: (free, free)})
    assert silent(RULE, host, goal="latency") is not speaks
    if speaks:
        finding = found(RULE, host, goal="latency")
        assert (finding.subject, finding.severity) == ("host/hugepages/hugepages-2048kB/idle", Severity.MEDIUM)
        assert (finding.safety, finding.sure) == (Safety.MANUAL, Sure.LIKELY)


def test_pages_that_a_guest_waits_for_are_not_idle() -> None:
    assert silent(RULE, a_memory_host(pools={0: (6600, 6600)}), waiting(), goal="latency")
    assert not silent(RULE, a_memory_host(pools={0: (6600, 6600)}), waiting(running=True), goal="latency")


@pytest.mark.parametrize(
    ("extra", "total", "speaks"), [("512", 2047, True), ("512", 2048, False), ("0", 2047, False), (None, 2047, False)]
)
def test_surplus_pages_are_no_pool(extra: str | None, total: int, speaks: bool) -> None:
    host = a_memory_host(
        pools={0: (total, 0)}, sysctls={"vm.nr_overcommit_hugepages": extra} if extra is not None else {}
    )
    guest = waiting(running=True)
    assert silent(RULE, host, guest, goal="latency") is not speaks
    if speaks:
        finding = found(RULE, host, guest, goal="latency")
        assert (finding.subject, finding.safety) == ("host/hugepages/overcommit", Safety.MANUAL)
        assert any("vm.nr_hugepages=2048" in line for line in finding.by_hand)


def test_the_default_size_is_the_kernels() -> None:
    host = a_memory_host(pools={0: (0, 0)}, size=GIB, command_line="default_hugepagesz=1G")
    assert [one.subject for one in judged(RULE, host, waiting(), goal="latency").findings] == [
        "host/hugepages/hugepages-1048576kB"
    ]


def test_the_node_with_the_most_room_grows_first() -> None:
    host = a_memory_host(nodes=3, pools={0: (0, 0), 1: (0, 0), 2: (0, 0)})
    room = {0: 1 * GIB, 1: 3 * GIB, 2: 2 * GIB}
    nodes = tuple(replace(node, free_bytes=room[node.id]) for node in host.numa_nodes)
    guest = waiting(vcpus=5)
    wanted = values(found(RULE, replace(host, numa_nodes=nodes), guest, goal="latency"))
    assert wanted == {FOLDER.format(1): "1536", FOLDER.format(2): "512"}


def test_pages_at_boot_are_spread_evenly_and_the_first_nodes_take_the_rest() -> None:
    host = a_memory_host(nodes=2, pools={0: (0, 0), 1: (0, 0)}, size=GIB)
    finding = found(RULE, host, waiting(backing=HUGE, vcpus=5, memory_gib=5), goal="latency")
    assert "hugepagesz=1G hugepages=0:3,1:2'" in finding.by_hand[1]
    assert finding.costs[0] == "5 GiB are taken from page cache and other guests until given back"


def test_what_can_be_had_now_is_not_left_to_a_person() -> None:
    finding = found(RULE, a_memory_host(pools={0: (1000, 100)}), waiting(), goal="latency")
    assert finding.by_hand == ()
    assert "need 2048 pages of 2 MiB, free are node 0 100; missing are 1948 on node 0; guests: 'guest'" in finding.saw
