"""What each guest asks of a placement, and what it has already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.place.layout import Layout


@dataclass(frozen=True)
class Ask:
    """One guest's need of CPUs and memory."""

    domain: Domain
    wanted: Configuration
    width: int
    """How many vCPUs share a core: the guest's own threads per core where the host has as many, else 1."""

    @property
    def order(self) -> tuple[bool, int, str, str]:
        """Running guests come first, then the largest, then by name."""
        return (not self.domain.running, -self.wanted.vcpus, self.domain.name, self.domain.uuid)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The vCPUs of each guest core; QEMU numbers the threads of a core one after the other."""
        numbers = range(self.wanted.vcpus)
        return tuple(tuple(numbers[start : start + self.width]) for start in range(0, len(numbers), self.width))

    @cached_property
    def pins(self) -> Mapping[int, int]:
        """The CPU of each vCPU that is pinned to just one."""
        return narrow_pins(self.wanted)

    @cached_property
    def cells(self) -> tuple[CpuSet, ...]:
        """The vCPUs of each guest cell, empty with less than two; what no cell names joins the first."""
        cells = self.wanted.cpu.cells if self.wanted.cpu is not None else ()
        if len(cells) < 2:
            return ()
        named = [cell.cpus for cell in cells]
        return (named[0] | (CpuSet(range(self.wanted.vcpus)) - union(named)), *named[1:])

    @cached_property
    def bound_nodes(self) -> CpuSet:
        """The host nodes that its memory is bound to; empty where it is not."""
        tune = self.wanted.numatune
        if tune is None:
            return CpuSet()
        return union([tune.nodes or CpuSet(), *(cell.nodes for cell in tune.cells)])

    @cached_property
    def cell_nodes(self) -> tuple[int, ...]:
        """The host node of each guest cell where every cell's memory is bound to one node, else empty."""
        tune = self.wanted.numatune
        if tune is None or not self.cells or self.wanted.cpu is None:
            return ()
        node_of = {one.cell: one.nodes.first for one in tune.cells if len(one.nodes) == 1}
        ids = [cell.id for cell in self.wanted.cpu.cells]
        return tuple(node_of[number] for number in ids) if all(number in node_of for number in ids) else ()


def ask_of(domain: Domain, layout: Layout) -> Ask:
    """What this guest asks for on this host."""
    wanted = domain.wanted
    topology = wanted.cpu.topology if wanted.cpu is not None else None
    threads = topology.threads if topology is not None else 1
    fitting = threads > 1 and any(len(core.cpus) >= threads for core in layout.cores)
    return Ask(domain, wanted, threads if fitting else 1)


def narrow_pins(configuration: Configuration) -> dict[int, int]:
    """The CPU of each vCPU that has a pin to exactly one; pins of vCPUs that are not there do not count."""
    return {
        pin.vcpu: pin.cpus.first
        for pin in configuration.vcpu_pins
        if len(pin.cpus) == 1 and pin.vcpu < configuration.vcpus
    }
