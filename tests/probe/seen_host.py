"""A host's CPUs and nodes as tests look at them: probed alone, and told in few words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.cpu import Cpu
from kvmnb.facts.cpu_system import CpuSystem
from kvmnb.facts.gap import Fact, Gap
from kvmnb.facts.memory import NumaNode
from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.probe.cpu import online_cpus, probe_cpus
from kvmnb.probe.cpu_system import probe_cpu_system
from kvmnb.probe.memory import probe_nodes
from kvmnb.probe.odd import oddities
from kvmnb.probe.reader import Reader


@dataclass(frozen=True)
class SeenHost:
    """What the CPU and memory probes found in one tree."""

    cpus: tuple[Cpu, ...] | Gap
    nodes: tuple[NumaNode, ...] | Gap
    system: CpuSystem
    odd: tuple[Gap, ...]

    @property
    def up(self) -> tuple[Cpu, ...]:
        return () if isinstance(self.cpus, Gap) else tuple(cpu for cpu in self.cpus if of(cpu, "online"))

    @property
    def online(self) -> CpuSet:
        return CpuSet(cpu.id for cpu in self.up)

    @property
    def packages(self) -> list[CpuSet]:
        return sorted({cpus for cpu in self.up if (cpus := of(cpu, "package_cpus")) is not None})

    @property
    def cores(self) -> list[CpuSet]:
        return sorted({cpus for cpu in self.up if (cpus := of(cpu, "siblings")) is not None})

    def caches(self, level: int) -> list[CpuSet]:
        found = (cache for cpu in self.up for cache in of(cpu, "caches") or () if of(cache, "level") == level)
        return sorted({cpus for cache in found if (cpus := of(cache, "cpus")) is not None})

    @property
    def gaps(self) -> tuple[Gap, ...]:
        found: list[Gap] = list(self.system.gaps())
        for facts in (self.cpus, self.nodes):
            found.extend([facts] if isinstance(facts, Gap) else [gap for fact in facts for gap in fact.gaps()])
        return tuple(dict.fromkeys(found))


def of(fact: Fact, name: str) -> Any:
    """A field's value, None where it is a gap."""
    return getattr(fact, name) if fact.gap_of(name) is None else None


def look(tree: Path | Files) -> SeenHost:
    """Probe a tree's CPUs and nodes."""
    read = Reader(tree if isinstance(tree, Files) else ReadOnlyFiles(tree))
    online = online_cpus(read)
    nodes = probe_nodes(read, online)
    node_of = {} if isinstance(nodes, Gap) else {cpu: node.id for node in nodes for cpu in of(node, "cpus") or ()}
    cpus = probe_cpus(read, node_of)
    system = probe_cpu_system(read, online)
    return SeenHost(cpus, nodes, system, oddities(read, cpus, nodes, system))


def summary(host: SeenHost) -> dict[str, Any]:
    """The topology in few words, as ``expected.json`` holds it beside a recorded host."""
    assert not isinstance(host.cpus, Gap) and not isinstance(host.nodes, Gap)
    types = {word: union([CpuSet.of(c.id) for c in host.up if c.core_type == word]) for word in _types(host)}
    return {
        "online": str(host.online),
        "offline": str(host.system.offline),
        "packages": [str(cpus) for cpus in host.packages],
        "dies": [
            {"package": package, "die": die, "cpus": str(cpus)} for (package, die), cpus in sorted(_dies(host).items())
        ],
        "cores": len(host.cores),
        "threads_per_core": sorted({len(core) for core in host.cores}),
        "nodes": [
            {
                "id": node.id,
                "cpus": None if node.gap_of("cpus") else str(node.cpus),
                "memory_mib": None if node.gap_of("memory_bytes") else node.memory_bytes // 2**20,
                "distances": of(node, "distances") and list(node.distances),
            }
            for node in host.nodes
        ],
        "l3_groups": [str(cpus) for cpus in host.caches(3)],
        "core_types": {word: str(cpus) for word, cpus in types.items()},
        "oddities": [f"{gap.fact}: {gap.reason}" for gap in host.odd],
        "gaps": len(host.gaps),
    }


def _types(host: SeenHost) -> list[str]:
    return sorted({cpu.core_type for cpu in host.up if cpu.core_type is not None})


def _dies(host: SeenHost) -> dict[tuple[int, int], CpuSet]:
    found: dict[tuple[int, int], CpuSet] = {}
    for cpu in host.up:
        if cpu.die is not None and cpu.package is not None:
            found[cpu.package, cpu.die] = found.get((cpu.package, cpu.die), CpuSet()) | CpuSet.of(cpu.id)
    return found
