"""A host's cores, and which of them stay the host's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from kvmnb.core.units import GIB
from kvmnb.facts.gap import Gap, NotSeen, changed
from kvmnb.place.layout import lay_out
from tests.builders import a_host


def test_each_node_keeps_one_whole_core_for_the_host() -> None:
    assert str(lay_out(a_host(nodes=2, cores=8, threads=2)).housekeeping) == "0,8,16,24"


def test_of_two_cpus_the_first_stays_the_hosts() -> None:
    layout = lay_out(a_host(cores=2))
    assert str(layout.housekeeping) == "0"
    assert [str(core.free) for core in layout.cores] == ["", "1"]


def test_of_one_core_with_two_threads_the_first_thread_stays_the_hosts() -> None:
    layout = lay_out(a_host(cores=1, threads=2))
    assert str(layout.housekeeping) == "0"
    assert [str(core.free) for core in layout.cores] == ["1"]


def test_a_host_of_one_cpu_has_none_to_give() -> None:
    layout = lay_out(a_host(cores=1))
    assert str(layout.housekeeping) == "0"
    assert [str(core.free) for core in layout.cores] == [""]


def test_of_nodes_with_one_core_each_only_the_first_one_is_the_hosts() -> None:
    assert str(lay_out(a_host(nodes=4, cores=1, threads=2)).housekeeping) == "0,4"


def test_the_hosts_own_core_is_not_an_isolated_one() -> None:
    assert str(lay_out(a_host(cores=4, isolated="0-1")).housekeeping) == "2"


def test_a_node_that_is_isolated_as_a_whole_gives_the_host_nothing() -> None:
    assert str(lay_out(a_host(nodes=2, cores=4, isolated="4-7")).housekeeping) == "0"


def test_offline_cpus_are_no_part_of_a_core() -> None:
    layout = lay_out(a_host(cores=4, threads=2, offline="0,5"))
    assert str(layout.housekeeping) == "1"
    assert [str(core.cpus) for core in layout.cores] == ["1", "2,6", "3,7", "4"]


def test_a_node_of_memory_alone_is_no_place_for_vcpus() -> None:
    assert list(lay_out(a_host(nodes=2, memory_only_nodes=1)).nodes) == [0, 1]


@pytest.mark.parametrize(("memory", "left"), [(64, 64 - 3.2), (40, 38), (39, 37), (1, 0)])
def test_the_reserve_is_two_gib_or_five_per_cent(memory: int, left: float) -> None:
    # 40 GiB is where 5 % and 2 GiB meet.
    assert lay_out(a_host(nodes=2, memory_gib=memory)).memory_for_guests(0) == pytest.approx(left * GIB, abs=1)


@pytest.mark.parametrize("name", ["cpus", "numa_nodes", "isolated"])
def test_a_gap_in_the_host_is_not_seen(name: str) -> None:
    host = replace(a_host(), **{name: cast(Any, Gap(f"host.{name}", "needs root"))})
    with pytest.raises(NotSeen, match="needs root"):
        lay_out(host)


def test_a_host_of_one_node_needs_no_word_about_its_memory_and_distances() -> None:
    host = a_host()
    (node,) = host.numa_nodes
    dumb = changed(node, memory_bytes=Gap("memory", "gone"), distances=Gap("distances", "gone"))
    layout = lay_out(changed(host, numa_nodes=(dumb,)))
    assert layout.memory_for_guests(0) == 0
    assert layout.distance == {}
