"""A host's NUMA nodes and their pages."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class HugepagePool(Fact):
    """The hugepages of one size on one node, from ``node*/hugepages/hugepages-*``."""

    size_bytes: int
    """The size of one page, in bytes."""
    total: int
    """Pages in the pool; ``nr_hugepages``."""
    free: int
    """Pages that nobody uses; ``free_hugepages``."""
    surplus: int | None
    """Pages above the pool's size, given back after use; None on a kernel that tells none; ``surplus_hugepages``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaCounters(Fact):
    """Where one node's pages were given since boot, in pages, from ``node*/numastat``."""

    hit: int
    """Pages given here as wanted; ``numa_hit``."""
    miss: int
    """Pages given here though another node was wanted; ``numa_miss``."""
    foreign: int
    """Pages wanted here and given elsewhere; ``numa_foreign``."""
    interleave_hit: int
    """Interleaved pages given here as wanted; ``interleave_hit``."""
    local: int
    """Pages given to a task that ran here; ``local_node``."""
    other: int
    """Pages given to a task that ran on another node; ``other_node``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaNode(Fact):
    """One host NUMA node, from ``/sys/devices/system/node/node*``."""

    id: int
    """The kernel's number."""
    cpus: CpuSet
    """Its CPUs that are online; empty on a node of memory alone; ``cpulist``."""
    memory_bytes: int
    """Its memory, 0 on a node of CPUs alone; ``meminfo``, MemTotal."""
    free_bytes: int
    """Its memory that nobody uses; ``meminfo``, MemFree."""
    cache_bytes: int | None
    """Its memory that caches files, given back when it is needed; None where the kernel does not count it by node.

    ``meminfo``: FilePages less Shmem and SwapCached; without nodes Cached and Buffers less Shmem.
    """
    distances: tuple[int, ...]
    """To each online node in the order of their numbers, 10 to itself; ``distance``."""
    counters: NumaCounters | None
    """Pages given since boot; None on a kernel that tells none; ``numastat``."""
    hugepages: tuple[HugepagePool, ...]
    """One pool for each hugepage size."""
