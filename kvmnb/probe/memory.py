"""A host's NUMA nodes, from ``/sys/devices/system/node``."""

from __future__ import annotations

import re
from typing import Any, cast

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.core.units import parse_kernel_size
from kvmnb.facts.memory import HugepagePool, NumaCounters, NumaNode
from kvmnb.probe.reader import Reader, gap, seen, whole

ROOT = "sys/devices/system/node"
_COUNTERS = {
    "hit": "numa_hit",
    "miss": "numa_miss",
    "foreign": "numa_foreign",
    "interleave_hit": "interleave_hit",
    "local": "local_node",
    "other": "other_node",
}


def probe_nodes(read: Reader, online: CpuSet) -> tuple[NumaNode, ...]:
    """Every online node, by number; a kernel without nodes is one node with all CPUs and memory.

    ``online`` is what ``online_cpus`` gave, a gap included.
    """
    names = read.folder(ROOT, "host.numa_nodes")
    if not seen(names):
        return names  # type: ignore[return-value]
    numbers = sorted(int(name[4:]) for name in names if re.fullmatch(r"node\d{1,5}", name))
    if not numbers:
        return (_only_node(read, online),)
    cpus = {
        number: _cpus(read, f"{ROOT}/node{number}", f"host.numa_nodes[{number}].cpus", online) for number in numbers
    }
    _doubt_empty_lists(cpus, online)
    return tuple(_node(read, number, cpus[number], len(numbers)) for number in numbers)


def _node(read: Reader, number: int, cpus: CpuSet, nodes: int) -> NumaNode:
    path, fact = f"{ROOT}/node{number}", f"host.numa_nodes[{number}]"
    meminfo = read.parse(f"{path}/meminfo", f"{fact}.memory_bytes", _meminfo)
    return NumaNode(
        id=number,
        cpus=cpus,
        memory_bytes=_line(meminfo, "MemTotal", f"{fact}.memory_bytes", path),
        free_bytes=_line(meminfo, "MemFree", f"{fact}.free_bytes", path),
        cache_bytes=_cached(meminfo, f"{fact}.cache_bytes", ("FilePages",), ("Shmem", "SwapCached")),
        distances=read.parse(f"{path}/distance", f"{fact}.distances", lambda text: _distances(text, nodes)),
        counters=_counters(read, f"{path}/numastat", f"{fact}.counters"),
        hugepages=_pools(read, f"{path}/hugepages", fact),
    )


def _doubt_empty_lists(cpus: dict[int, CpuSet], online: CpuSet) -> None:
    """A node that lists no CPU has none, unless CPUs are online that no node lists."""
    lost = (online if seen(online) else CpuSet()) - union(one for one in cpus.values() if seen(one))
    for number, listed in cpus.items():
        if lost and seen(listed) and not listed:
            reason = f"/{ROOT}/node{number} lists no CPU online while no node lists CPUs {lost}"
            cpus[number] = gap(f"host.numa_nodes[{number}].cpus", reason)


def _cpus(read: Reader, path: str, fact: str, online: CpuSet) -> CpuSet:
    """A node's CPUs that are online: a node lists offline ones on some kernels, and no work runs there.

    An empty list may be a node of memory alone or a broken file; the mask beside it, which is never an
    empty text, decides. Kernels before 2.6.25 have the mask alone, and any has links named for the CPUs.
    """
    listed = read.cpus(f"{path}/cpulist", fact, None)
    if listed is None or not seen(listed) or not listed:
        masked = read.parse(f"{path}/cpumap", fact, CpuSet.parse_mask, None)
        if masked is not None and (listed is None or seen(masked)):
            listed = masked
    if listed is None:
        names = read.names(path)
        linked = CpuSet(int(name[3:]) for name in names if re.fullmatch(r"cpu\d{1,5}", name))
        listed = linked or gap(fact, f"/{path} has neither cpulist nor cpumap")
    if not seen(listed):
        return listed
    return listed & online if seen(online) else online


def _only_node(read: Reader, online: CpuSet) -> NumaNode:
    fact = "host.numa_nodes[0]"
    meminfo = read.parse("proc/meminfo", f"{fact}.memory_bytes", _meminfo)
    return NumaNode(
        id=0,
        cpus=online,
        memory_bytes=_line(meminfo, "MemTotal", f"{fact}.memory_bytes", "proc"),
        free_bytes=_line(meminfo, "MemFree", f"{fact}.free_bytes", "proc"),
        cache_bytes=_cached(meminfo, f"{fact}.cache_bytes", ("Cached", "Buffers"), ("Shmem",)),
        distances=(10,),
        counters=None,
        hugepages=_pools(read, "sys/kernel/mm/hugepages", fact),
    )


def _pools(read: Reader, path: str, fact: str) -> tuple[HugepagePool, ...]:
    names = read.folder(path, f"{fact}.hugepages")
    if not seen(names):
        return names  # type: ignore[return-value]
    sizes = sorted(int(match[1]) for name in names if (match := re.fullmatch(r"hugepages-(\d{1,12})kB", name)))
    return tuple(
        HugepagePool(
            size_bytes=size * 1024,
            total=read.integer(f"{path}/hugepages-{size}kB/nr_hugepages", f"{fact}.hugepages[{size}kB].total"),
            free=read.integer(f"{path}/hugepages-{size}kB/free_hugepages", f"{fact}.hugepages[{size}kB].free"),
            surplus=read.integer(
                f"{path}/hugepages-{size}kB/surplus_hugepages", f"{fact}.hugepages[{size}kB].surplus", None
            ),
        )
        for size in sizes
    )


def _counters(read: Reader, path: str, fact: str) -> NumaCounters | None:
    counts = read.parse(path, fact, _numastat, None)
    if counts is None or not seen(counts):
        return cast(None, counts)
    return NumaCounters(
        **{name: counts.get(word, gap(f"{fact}.{name}", f"/{path} has no {word}")) for name, word in _COUNTERS.items()}
    )


def _numastat(text: str) -> dict[str, int]:
    """Counters by name, from lines such as ``numa_hit 42``.

    >>> _numastat("numa_hit 42\\nnuma_miss 0")
    {'numa_hit': 42, 'numa_miss': 0}
    """
    found = {}
    for line in text.splitlines():
        name, _, count = line.partition(" ")
        found[name] = whole(count)
    if not found:
        raise ValueError("the file is empty")
    return found


def _distances(text: str, nodes: int) -> tuple[int, ...]:
    """Distances to each online node.

    >>> _distances("10 21", 2)
    (10, 21)
    """
    found = tuple(whole(word) for word in text.split())
    if len(found) != nodes:
        raise ValueError(f"it holds {len(found)} distances for {nodes} nodes")
    return found


def _meminfo(text: str) -> dict[str, int]:
    """Sizes in bytes by name, from ``Node 0 MemTotal: 131925744 kB`` or ``MemTotal: 263851488 kB``.

    >>> _meminfo("Node 0 MemTotal:       1024 kB\\nNode 0 MemFree: 12 kB")
    {'MemTotal': 1048576, 'MemFree': 12288}
    """
    found = {}
    for line in text.splitlines():
        name, _, size = line.partition(":")
        if size.strip().endswith("kB"):
            found[name.split()[-1]] = parse_kernel_size(size)
    return found


def _cached(meminfo: Any, fact: str, counted: tuple[str, ...], less: tuple[str, ...]) -> int | None:
    """Pages of files: shared memory and swap's cache are counted among them, and are none (older kernels lack them)."""
    if not seen(meminfo):
        return gap(fact, meminfo.reason)  # type: ignore[no-any-return]
    if any(name not in meminfo for name in counted):
        return None
    cached: int = sum(meminfo[name] for name in counted) - sum(meminfo.get(name, 0) for name in less)
    return max(0, cached)


def _line(meminfo: Any, name: str, fact: str, path: str) -> int:
    if not seen(meminfo):
        return gap(fact, meminfo.reason)  # type: ignore[no-any-return]
    if name not in meminfo:
        return gap(fact, f"/{path}/meminfo has no {name}")  # type: ignore[no-any-return]
    size: int = meminfo[name]
    return size
