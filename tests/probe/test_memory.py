"""Nodes as their kernel files tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.facts.memory import NumaNode
from tests.probe.seen_host import look
from tests.probe.trees import NODE, cores, plant


def node_files(number: int, cpus: str, memory_kb: int = 1024, distance: str = "10") -> dict[str, str]:
    folder = f"{NODE}/node{number}"
    return {
        f"{folder}/cpulist": cpus,
        f"{folder}/meminfo": f"Node {number} MemTotal: {memory_kb} kB\nNode {number} MemFree: {memory_kb // 2} kB",
        f"{folder}/distance": distance,
    }


def nodes_of(tmp_path: Path, texts: dict[str, str]) -> tuple[NumaNode, ...]:
    nodes = look(plant(tmp_path, texts)).nodes
    assert isinstance(nodes, tuple)
    return nodes


def test_pools_of_every_size_are_read_with_their_surplus(tmp_path: Path) -> None:
    texts = cores(1) | node_files(0, "0")
    for size, total in ((2048, 8), (1048576, 2)):
        folder = f"{NODE}/node0/hugepages/hugepages-{size}kB"
        texts |= {f"{folder}/nr_hugepages": str(total), f"{folder}/free_hugepages": "1"}
    texts[f"{NODE}/node0/hugepages/hugepages-2048kB/surplus_hugepages"] = "3"
    (node,) = nodes_of(tmp_path, texts)
    assert [(pool.size_bytes, pool.total, pool.free, pool.surplus) for pool in node.hugepages] == [
        (2 * 2**20, 8, 1, 3),
        (2**30, 2, 1, None),
    ]


def test_counters_are_read_and_a_missing_one_is_a_gap(tmp_path: Path) -> None:
    words = "numa_hit 5\nnuma_miss 4\nnuma_foreign 3\ninterleave_hit 2\nlocal_node 1"
    (node,) = nodes_of(tmp_path, cores(1) | node_files(0, "0") | {f"{NODE}/node0/numastat": words})
    assert node.counters is not None
    assert (node.counters.hit, node.counters.miss, node.counters.foreign, node.counters.local) == (5, 4, 3, 1)
    assert node.counters.gap_of("other") is not None


def test_a_node_of_memory_alone_is_odd_and_no_gap(tmp_path: Path) -> None:
    host = look(plant(tmp_path, cores(1) | node_files(0, "0", distance="10 17") | node_files(1, "", distance="17 10")))
    assert host.gaps == ()
    assert [gap.fact for gap in host.odd] == ["host.numa_nodes[1].cpus"]


def test_an_empty_list_is_doubted_where_cpus_have_no_node(tmp_path: Path) -> None:
    nodes = nodes_of(tmp_path, cores(2) | node_files(0, "0", distance="10 17") | node_files(1, "", distance="17 10"))
    assert nodes[0].gap_of("cpus") is None
    assert "while no node lists CPUs 1" in nodes[1].gap_of("cpus").reason  # type: ignore[union-attr]


def test_an_old_kernels_mask_or_links_tell_a_nodes_cpus(tmp_path: Path) -> None:
    texts = cores(4) | {f"{NODE}/node0/cpumap": "00000003", f"{NODE}/node1/cpu2": "", f"{NODE}/node1/cpu3": ""}
    assert [str(node.cpus) for node in nodes_of(tmp_path, texts)] == ["0-1", "2-3"]


def test_a_node_lists_only_cpus_that_are_online(tmp_path: Path) -> None:
    (node,) = nodes_of(tmp_path, cores(2) | node_files(0, "0-5"))
    assert str(node.cpus) == "0-1"


def test_a_kernel_without_nodes_is_one_node_and_says_so(tmp_path: Path) -> None:
    host = look(plant(tmp_path, cores(2) | {"proc/meminfo": "MemTotal: 2048 kB\nMemFree: 1024 kB"}))
    assert isinstance(host.nodes, tuple)
    (node,) = host.nodes
    assert (str(node.cpus), node.memory_bytes, node.free_bytes, node.distances) == ("0-1", 2**21, 2**20, (10,))
    assert node.cache_bytes is None
    assert [gap.fact for gap in host.odd] == ["host.numa_nodes"]


def test_distances_that_fit_no_number_of_nodes_are_a_gap(tmp_path: Path) -> None:
    (node,) = nodes_of(tmp_path, cores(1) | node_files(0, "0", distance="10 21"))
    assert node.gap_of("distances") is not None


def test_distances_that_differ_by_direction_are_odd(tmp_path: Path) -> None:
    host = look(plant(tmp_path, cores(2) | node_files(0, "0", distance="10 21") | node_files(1, "1", distance="31 10")))
    assert [gap.reason for gap in host.odd] == ["the distance to node 1 is 21 and from it 31"]


@pytest.mark.parametrize(
    ("place", "lines", "cached"),
    [
        ("node", "FilePages: 90 kB\nShmem: 20 kB\nSwapCached: 10 kB", 60),
        ("node", "FilePages: 90 kB", 90),
        ("node", "FilePages: 9 kB\nShmem: 10 kB", 0),
        ("node", "Shmem: 20 kB", None),
        ("host", "Cached: 70 kB\nBuffers: 8 kB\nShmem: 20 kB", 58),
        ("host", "Cached: 70 kB", None),
    ],
)
def test_pages_that_cache_files_are_told_from_shared_memory(
    tmp_path: Path, place: str, lines: str, cached: int | None
) -> None:
    kept = "MemTotal: 1024 kB\nMemFree: 512 kB\n" + lines
    path = "proc/meminfo" if place == "host" else f"{NODE}/node0/meminfo"
    texts = cores(1) | ({} if place == "host" else node_files(0, "0"))
    (node,) = nodes_of(tmp_path, texts | {path: kept})
    assert node.cache_bytes == (None if cached is None else cached * 1024)
