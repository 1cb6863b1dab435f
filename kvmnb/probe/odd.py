"""What is odd about a host's CPUs and nodes: facts that were read and yet must not be taken at their word.

Each oddity is a Gap whose ``fact`` names what it is about and whose ``reason`` says what was found.
Facts that could not be read are gaps of the facts themselves and are not told again here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.cpu import Cpu
from kvmnb.facts.cpu_system import CpuSystem
from kvmnb.facts.gap import Fact, Gap
from kvmnb.facts.memory import NumaNode
from kvmnb.probe.cpu import ROOT as CPU_ROOT
from kvmnb.probe.memory import ROOT as NODE_ROOT
from kvmnb.probe.reader import Reader, whole


def oddities(
    read: Reader, cpus: tuple[Cpu, ...] | Gap, nodes: tuple[NumaNode, ...] | Gap, system: CpuSystem | Gap
) -> tuple[Gap, ...]:
    """Everything odd, in the order of the host's facts; a gap in place of a fact is passed over."""
    found: list[Gap] = []
    up = () if isinstance(cpus, Gap) else tuple(cpu for cpu in cpus if _has(cpu, "online") and cpu.online)
    online = CpuSet(cpu.id for cpu in up)
    if not isinstance(system, Gap):
        found.extend(_narrowed(system, online))
    found.extend(_without_folder(read, cpus))
    found.extend(_unnumbered(read, up))
    for judge in _OF_CPUS:
        found.extend(judge(up))
    if not isinstance(nodes, Gap):
        found.extend(_no_nodes(read, nodes))
        for judge_nodes in _OF_NODES:
            found.extend(judge_nodes(nodes))
        found.extend(_homeless(nodes, online))
    return tuple(found)


def _narrowed(system: CpuSystem, online: CpuSet) -> Iterator[Gap]:
    if _has(system, "allowed") and system.allowed is not None and not online.issubset(system.allowed):
        yield Gap(
            "host.cpu_system.allowed",
            f"the reading process was confined to CPUs {system.allowed & online} of {online} by a cpuset or an "
            "affinity: these facts are the whole host's",
        )


def _without_folder(read: Reader, cpus: tuple[Cpu, ...] | Gap) -> Iterator[Gap]:
    listed = read.cpus(f"{CPU_ROOT}/online", "host.cpus", None)
    if isinstance(listed, CpuSet) and not isinstance(cpus, Gap):
        missing = listed - CpuSet(cpu.id for cpu in cpus)
        if missing:
            yield Gap("host.cpus", f"CPUs {missing} are online and /{CPU_ROOT} shows no folder of them: left out")


def _unnumbered(read: Reader, cpus: tuple[Cpu, ...]) -> Iterator[Gap]:
    groups = sorted({package for cpu in cpus if (package := _package(cpu)) is not None})
    paths = (f"{CPU_ROOT}/cpu{package.first}/topology/physical_package_id" for package in groups)
    told = [read.parse(path, "host.cpus.package", whole, None) for path in paths]
    numbers = [number for number in told if isinstance(number, int)]
    if -1 not in numbers and len(set(numbers)) == len(numbers):
        return
    why = "numbers no packages" if -1 in numbers else "gives one number to several packages"
    yield Gap("host.cpus.package", f"the kernel {why}: they are told apart and numbered by core_siblings_list")


def _across_packages(cpus: tuple[Cpu, ...]) -> Iterator[Gap]:
    packages = {cpu.id: package for cpu in cpus if (package := _package(cpu)) is not None}
    told: set[tuple[int, CpuSet]] = set()
    for cpu in cpus:
        for cache in cpu.caches if _has(cpu, "caches") else ():
            if not (_has(cache, "cpus") and _has(cache, "level")) or (cache.level, cache.cpus) in told:
                continue
            told.add((cache.level, cache.cpus))
            if cpu.id in packages and not cache.cpus.issubset(packages[cpu.id]):
                yield Gap(
                    "host.cpus.package",
                    f"CPUs {cache.cpus} share an L{cache.level} cache and lie in several packages: most likely the "
                    "firmware numbers clusters as packages",
                )


def _split_cores(cpus: tuple[Cpu, ...]) -> Iterator[Gap]:
    homes = {cpu.id: cpu.node for cpu in cpus if _has(cpu, "node")}
    for core in sorted({cpu.siblings for cpu in cpus if _has(cpu, "siblings")}):
        nodes = CpuSet(node for one in core if (node := homes.get(one)) is not None)
        if len(nodes) > 1:
            yield Gap("host.cpus.node", f"the threads {core} of one core lie on several nodes, {nodes}")


def _no_nodes(read: Reader, nodes: tuple[NumaNode, ...]) -> Iterator[Gap]:
    if not any(name.startswith("node") and name[4:].isdigit() for name in read.names(NODE_ROOT)):
        yield Gap(
            "host.numa_nodes",
            f"/{NODE_ROOT} shows no node: this kernel or this recording has none, and the host is taken as one node",
        )


def _bare_nodes(nodes: tuple[NumaNode, ...]) -> Iterator[Gap]:
    for node in nodes:
        if not (_has(node, "cpus") and _has(node, "memory_bytes")):
            continue
        if not node.cpus and node.memory_bytes:
            yield Gap(
                f"host.numa_nodes[{node.id}].cpus", "the node has memory and no CPU online: remote to every guest"
            )
        elif node.cpus and not node.memory_bytes:
            yield Gap(f"host.numa_nodes[{node.id}].memory_bytes", "the node has CPUs and no memory of its own")
        elif not node.cpus:
            yield Gap(f"host.numa_nodes[{node.id}]", "the node has neither a CPU online nor memory")


def _overlapping(nodes: tuple[NumaNode, ...]) -> Iterator[Gap]:
    known = [node for node in nodes if _has(node, "cpus")]
    clashes = [
        (one.id, other.id, one.cpus & other.cpus)
        for one, other in combinations(known, 2)
        if not one.cpus.isdisjoint(other.cpus)
    ]
    if clashes:
        ids = CpuSet(number for one, other, _ in clashes for number in (one, other))
        shared = union(cpus for _, _, cpus in clashes)
        yield Gap("host.numa_nodes.cpus", f"nodes {ids} list the same CPUs {shared}: the firmware's table is broken")


def _distances(nodes: tuple[NumaNode, ...]) -> Iterator[Gap]:
    known = [(place, node) for place, node in enumerate(nodes) if _has(node, "distances")]
    for place, node in known:
        if node.distances[place] != 10:
            yield Gap(
                f"host.numa_nodes[{node.id}].distances",
                f"the distance to itself is {node.distances[place]} and not 10: the firmware's table is broken",
            )
    near: set[int] = set()
    for (place, one), (other_place, other) in combinations(known, 2):
        there, back = one.distances[other_place], other.distances[place]
        if min(there, back) <= 10:
            near |= {one.id, other.id}
        elif there != back:
            yield Gap(
                f"host.numa_nodes[{one.id}].distances",
                f"the distance to node {other.id} is {there} and from it {back}",
            )
    if near:
        reason = f"nodes {CpuSet(near)} are told to be no farther than a node itself: the firmware's table is broken"
        yield Gap("host.numa_nodes.distances", reason)


def _homeless(nodes: tuple[NumaNode, ...], online: CpuSet) -> Iterator[Gap]:
    if all(_has(node, "cpus") for node in nodes):
        lost = online - union(node.cpus for node in nodes)
        if lost:
            yield Gap("host.numa_nodes.cpus", f"CPUs {lost} are online and no node lists them")


def _package(cpu: Cpu) -> CpuSet | None:
    return cpu.package_cpus if _has(cpu, "package_cpus") else None


def _has(fact: Fact, name: str) -> bool:
    return fact.gap_of(name) is None


_OF_CPUS: tuple[Callable[[tuple[Cpu, ...]], Iterator[Gap]], ...] = (
    _across_packages,
    _split_cores,
)
_OF_NODES: tuple[Callable[[tuple[NumaNode, ...]], Iterator[Gap]], ...] = (_bare_nodes, _overlapping, _distances)
