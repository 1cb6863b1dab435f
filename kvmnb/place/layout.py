"""A host's cores as a placement sees them, and which of them stay the host's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.core.units import GIB
from kvmnb.facts.cpu import Cpu
from kvmnb.facts.host import Host
from kvmnb.facts.memory import NumaNode

# What the host itself needs of each node, by the arithmetic for hugepage pools: 2 GiB or 5 %, whichever is more.
RESERVE_BYTES = 2 * GIB
RESERVE_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Core:
    """One physical core with a CPU online."""

    cpus: CpuSet
    """Its online hardware threads."""
    free: CpuSet
    """Those of them that are not the host's own."""
    node: int
    """The host node that it lies on."""
    cache: CpuSet
    """The CPUs that share its last-level cache."""
    kind: tuple[int, int]
    """Cores of one kind are equally fast; a faster kind sorts first."""
    isolated: bool
    """Whether the scheduler leaves a thread of it alone."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The cores and nodes of one host, ready for many questions."""

    cores: tuple[Core, ...]
    """By their first CPU."""
    core_of: Mapping[int, Core]
    """Of each online CPU that a node lists."""
    nodes: Mapping[int, NumaNode]
    """The nodes that have a CPU online, by number."""
    distance: Mapping[tuple[int, int], int]
    """Between two nodes."""
    isolated: CpuSet
    """The CPUs that the scheduler leaves alone."""
    housekeeping: CpuSet
    """The host's own CPUs."""

    def nodes_of(self, cpus: CpuSet) -> CpuSet:
        """The nodes that these CPUs lie on; CPUs that are not online count for none."""
        return CpuSet(self.core_of[cpu].node for cpu in cpus if cpu in self.core_of)

    def memory_for_guests(self, node: int) -> int:
        """A node's memory without the host's reserve, in bytes; 0 on a host of one node, which has no choice."""
        if len(self.nodes) == 1:
            return 0
        memory = self.nodes[node].memory_bytes
        return max(0, memory - max(RESERVE_BYTES, memory * RESERVE_PERCENT // 100))


def lay_out(host: Host) -> Layout:
    """The host's layout; NotSeen where a fact that it needs is a gap."""
    online = {cpu.id: cpu for cpu in host.cpus if cpu.online}
    nodes = {node.id: node for node in host.numa_nodes if node.cpus}
    node_of = {cpu: node.id for node in nodes.values() for cpu in node.cpus}
    found: dict[CpuSet, Core] = {}
    for number, cpu in sorted(online.items()):
        threads = CpuSet(sibling for sibling in cpu.siblings if sibling in online) | CpuSet.of(number)
        if number in node_of and threads not in found:
            alone = not threads.isdisjoint(host.isolated)
            found[threads] = Core(threads, threads, node_of[number], _last_level(cpu), _kind(cpu), alone)
    housekeeping = _housekeeping(tuple(found.values()))
    cores = tuple(replace(core, free=core.cpus - housekeeping) for core in found.values())
    return Layout(
        cores=cores,
        core_of={cpu: core for core in cores for cpu in core.cpus},
        nodes=nodes,
        # On a host of one node there is nothing to choose, so that what is not needed is not asked for.
        distance=_distances(host.numa_nodes) if len(nodes) > 1 else {},
        isolated=host.isolated,
        housekeeping=housekeeping,
    )


def _housekeeping(cores: Sequence[Core]) -> CpuSet:
    """One whole core of each node; on a host of one core its first thread.

    A node of a single core would have nothing left, so it gives its core only where no node has more.
    """
    by_node: dict[int, list[Core]] = {}
    for core in cores:
        by_node.setdefault(core.node, []).append(core)
    kept = []
    for of_node in by_node.values():
        free = [core for core in of_node if not core.isolated]
        if len(of_node) > 1 and free:
            kept.append(free[0].cpus)
    if kept:
        return union(kept)
    open_cores = [core for core in cores if not core.isolated] or list(cores)
    if not open_cores:
        return CpuSet()
    first = open_cores[0].cpus
    return first if len(cores) > 1 else CpuSet.of(first.first)


def _last_level(cpu: Cpu) -> CpuSet:
    if not cpu.caches:
        return CpuSet()
    return max(cpu.caches, key=lambda cache: cache.level).cpus


def _kind(cpu: Cpu) -> tuple[int, int]:
    return (1 if cpu.core_type == "efficiency" else 0, -(cpu.capacity or 0))


def _distances(nodes: Sequence[NumaNode]) -> dict[tuple[int, int], int]:
    return {
        (one.id, other.id): far
        for one in nodes
        # Firmware may leave the table short; a node then counts as equally far from all.
        for other, far in zip(nodes, one.distances, strict=False)
    }
