"""A host's NUMA nodes, from ``/sys/devices/system/node``."""

from __future__ import annotations

import re
from typing import Any

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import parse_kernel_size
from kvmnb.facts.memory import HugepagePool, NumaNode
from kvmnb.probe.reader import Reader, gap, seen

ROOT = "sys/devices/system/node"


def probe_nodes(read: Reader, online: CpuSet) -> tuple[NumaNode, ...]:
    """Every online node, by number; a kernel without nodes is one node with all CPUs and memory."""
    numbers = sorted(int(name[4:]) for name in read.names(ROOT) if re.fullmatch(r"node\d{1,5}", name))
    if not numbers:
        return (_only_node(read, online),)
    return tuple(_node(read, number, online) for number in numbers)


def _node(read: Reader, number: int, online: CpuSet) -> NumaNode:
    path, fact = f"{ROOT}/node{number}", f"host.numa_nodes[{number}]"
    cpus = read.cpus(f"{path}/cpulist", f"{fact}.cpus", absent=None)
    if cpus is None:
        # Kernels before 2.6.30 have the mask alone.
        cpus = read.parse(f"{path}/cpumap", f"{fact}.cpus", CpuSet.parse_mask)
    meminfo = read.parse(f"{path}/meminfo", f"{fact}.memory_bytes", _meminfo)
    return NumaNode(
        id=number,
        # A node lists offline CPUs on some kernels; what counts is where work can run.
        cpus=cpus & online if seen(cpus) else cpus,
        memory_bytes=_line(meminfo, "MemTotal", f"{fact}.memory_bytes", path),
        free_bytes=_line(meminfo, "MemFree", f"{fact}.free_bytes", path),
        distances=read.parse(f"{path}/distance", f"{fact}.distances", lambda text: tuple(map(int, text.split()))),
        hugepages=_pools(read, f"{path}/hugepages", fact),
    )


def _only_node(read: Reader, online: CpuSet) -> NumaNode:
    fact = "host.numa_nodes[0]"
    meminfo = read.parse("proc/meminfo", f"{fact}.memory_bytes", _meminfo)
    return NumaNode(
        id=0,
        cpus=online,
        memory_bytes=_line(meminfo, "MemTotal", f"{fact}.memory_bytes", "proc"),
        free_bytes=_line(meminfo, "MemFree", f"{fact}.free_bytes", "proc"),
        distances=(10,),
        hugepages=_pools(read, "sys/kernel/mm/hugepages", fact),
    )


def _pools(read: Reader, path: str, fact: str) -> tuple[HugepagePool, ...]:
    sizes = sorted(
        int(match[1]) for name in read.names(path) if (match := re.fullmatch(r"hugepages-(\d{1,12})kB", name))
    )
    return tuple(
        HugepagePool(
            size_bytes=size * 1024,
            total=read.integer(f"{path}/hugepages-{size}kB/nr_hugepages", f"{fact}.hugepages[{size}kB].total"),
            free=read.integer(f"{path}/hugepages-{size}kB/free_hugepages", f"{fact}.hugepages[{size}kB].free"),
        )
        for size in sizes
    )


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


def _line(meminfo: Any, name: str, fact: str, path: str) -> int:
    if not seen(meminfo):
        return gap(fact, meminfo.reason)  # type: ignore[no-any-return]
    if name not in meminfo:
        return gap(fact, f"/{path}/meminfo has no {name}")  # type: ignore[no-any-return]
    size: int = meminfo[name]
    return size
