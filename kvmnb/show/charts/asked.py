"""The hugepages that there are, and those that guests ask for at their next start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kvmnb.advise.mem.pages import Need, default_size_of, free_pages, needs, shortages
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.show import words


@dataclass(frozen=True, slots=True)
class Pool:
    """The hugepages of one size on one node."""

    node: int
    size: int
    total: int
    free: int

    @property
    def in_use(self) -> int:
        """Pages that somebody has."""
        return max(0, self.total - self.free)


@dataclass(frozen=True, slots=True)
class Ask:
    """Pages of one size that a guest takes at its next start."""

    guest: str
    running: bool
    size: int
    pages: int
    nodes: CpuSet | None
    """The nodes that they must come from; None: any."""
    holds: bool
    """Whether the running guest has just these now."""
    lacks: str
    """What would be missing if it started now; empty: nothing."""

    @property
    def verdict(self) -> str:
        """Whether they are there, in words."""
        if self.holds:
            return "it has them now"
        return f"no: {self.lacks}" if self.lacks else "yes"


def pools(host: Host) -> tuple[Pool, ...]:
    """Every pool, by size and node; NotSeen where one was not."""
    found = [
        Pool(node.id, pool.size_bytes, pool.total, pool.free)
        for node in host.numa_nodes
        if node.memory_bytes
        for pool in node.hugepages
    ]
    return tuple(sorted(found, key=lambda one: (one.size, one.node)))


def asks(host: Host, domains: Sequence[Domain]) -> tuple[Ask, ...]:
    """What each guest with hugepages takes at its next start, and whether it would find that."""
    found: list[Ask] = []
    for domain in domains:
        if not domain.wanted.memory_backing.hugepages:
            continue
        default = default_size_of(host)
        wanted = needs(domain.wanted, default)
        holds = domain.live is not None and needs(domain.live, default) == wanted
        for size, nodes in dict.fromkeys((one.size, one.nodes) for one in wanted):
            pages = sum(one.pages for one in wanted if (one.size, one.nodes) == (size, nodes))
            lacks = "" if holds else missing(host, size, (one for one in wanted if one.size == size))
            found.append(Ask(domain.name, domain.running, size, pages, nodes, holds, lacks))
    return tuple(found)


def missing(host: Host, size: int, asked: Iterable[Need]) -> str:
    """The free pages of a size that these would not find, in words; empty where there are enough."""
    nodes = CpuSet(node.id for node in host.numa_nodes if node.memory_bytes)
    free = free_pages(host, size)
    lack = shortages(asked, {node: free.get(node, 0) for node in nodes})
    told = (
        f"{words.plural(pages, 'page')} of {format_bytes(size)} missing"
        + ("" if group == nodes else f" {on(group, nodes)}")
        for group, pages in lack.items()
    )
    return words.listed(list(told))


def on(group: CpuSet | None, nodes: CpuSet) -> str:
    """Nodes as a sentence names them."""
    if group is None or nodes.issubset(group):
        return "on any node" if len(nodes) > 1 else "on the host"
    return f"on node {group}" if len(group) == 1 else f"on nodes {group}"
