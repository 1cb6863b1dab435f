"""Nodes and CPUs for the guests that are not pinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.place.asks import Ask
from kvmnb.place.layout import Layout

# CPUs are left aside (siblings of dedicated vCPUs, the host's own) only while this many remain for each
# vCPU that shares them. A guess: with fewer, the scheduler's freedom is worth more than the quiet.
ROOM_PER_VCPU = 2


class Rest:
    """What the dedicated guests leave over, given out one guest after the other."""

    def __init__(self, layout: Layout, placed: Sequence[tuple[Ask, Mapping[int, int]]]) -> None:
        self._layout = layout
        self.dedicated = CpuSet(cpu for _, pins in placed for cpu in pins.values())
        """The CPUs of all dedicated vCPUs."""
        self._open = {node.id: node.cpus - layout.isolated - self.dedicated for node in layout.nodes.values()}
        self._load = dict.fromkeys(layout.nodes, 0)
        self._memory = {node: layout.memory_for_guests(node) for node in layout.nodes}
        for ask, pins in placed:
            self._take_memory(ask, layout.nodes_of(CpuSet(pins.values())))

    def nodes_for(self, ask: Ask) -> CpuSet:
        """The node that a guest fits best, the one of its present CPUs or memory first; empty where it fits none."""
        present = self._present(ask)
        fitting = [
            node
            for node in self._layout.nodes
            if len(self._layout.nodes) == 1
            or (
                ask.wanted.vcpus <= len(self._open[node])
                and (ask.wanted.memory_bytes <= self._memory[node] or present == CpuSet.of(node))
            )
        ]
        if not fitting:
            return CpuSet()
        chosen = min(
            fitting,
            key=lambda node: (
                present != CpuSet.of(node),
                node not in ask.bound_nodes,
                (self._load[node] + ask.wanted.vcpus) / max(1, len(self._open[node])),
                -self._memory[node],
                node,
            ),
        )
        self._load[chosen] += ask.wanted.vcpus
        self._take_memory(ask, CpuSet.of(chosen))
        return CpuSet.of(chosen)

    def cpus(self) -> dict[int, CpuSet]:
        """Where guests that share CPUs may run on each node, once all of them have their nodes."""
        return {node: self._cpus_of(node) for node in self._layout.nodes}

    def _cpus_of(self, node: int) -> CpuSet:
        layout, open_cpus = self._layout, self._open[node]
        cores = union(layout.core_of[cpu].cpus for cpu in self.dedicated if layout.core_of[cpu].node == node)
        if not cores:
            return open_cpus
        for aside in (cores | layout.housekeeping, cores):
            if len(open_cpus - aside) >= max(1, ROOM_PER_VCPU * self._load[node]):
                return open_cpus - aside
        return open_cpus

    def _present(self, ask: Ask) -> CpuSet:
        """The nodes that the guest's vCPUs may run on now; empty where one may run anywhere."""
        wanted = ask.wanted
        masks = [wanted.pin_of(vcpu) for vcpu in range(wanted.vcpus)] if wanted.vcpu_pins else [wanted.vcpu_cpus]
        if any(mask is None for mask in masks):
            return CpuSet()
        return self._layout.nodes_of(union(mask for mask in masks if mask is not None))

    def _take_memory(self, ask: Ask, nodes: CpuSet) -> None:
        for node in nodes:
            self._memory[node] -= ask.wanted.memory_bytes // len(nodes)
