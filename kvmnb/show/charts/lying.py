"""Whose memory lies on which node: the pages of guests, pools and caches, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmnb.advise.cpu.reach import mask_of
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.memory import HugepagePool, NumaNode


@dataclass(frozen=True, slots=True)
class GuestShare:
    """Where one running guest's memory lies."""

    name: str
    by_node: dict[int, int]
    """Bytes by node; empty where that was not seen."""
    pool_ratio: float
    """The part of it that lies in a pool of hugepages."""
    home: CpuSet
    """The nodes of its vCPUs; all nodes where they float."""
    swapped_bytes: int
    why_unseen: str | None
    """Why it was not seen; None where it was."""

    @property
    def far_ratio(self) -> float:
        """The part that lies on other nodes than its vCPUs."""
        whole = sum(self.by_node.values())
        return sum(size for node, size in self.by_node.items() if node not in self.home) / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class NodeShare:
    """What the memory of one node is used for, in bytes; together it is all of the node."""

    node: int
    total: int
    guests: int
    pool_in_use: int
    """Hugepages of a pool that are in use, beyond those of the guests that were seen."""
    pool_free: int
    cache: int | None
    """None where the kernel does not count it by node."""
    free: int
    others: int
    """Other programs and the kernel, guests that were not seen among them."""


def guest_shares(host: Host, domains: Sequence[Domain]) -> tuple[GuestShare, ...]:
    """Each running guest's."""
    return tuple(_guest(host, domain) for domain in domains if domain.running)


def node_shares(host: Host, guests: Sequence[GuestShare]) -> tuple[NodeShare, ...]:
    """Each node's that has memory; NotSeen where a node's memory was not."""
    return tuple(_node(node, guests) for node in host.numa_nodes if node.memory_bytes)


def _guest(host: Host, domain: Domain) -> GuestShare:
    every = CpuSet(node.id for node in host.numa_nodes)
    mask = mask_of(domain.live if domain.live is not None else domain.wanted)
    home = every if mask is None else host.nodes_of(mask) or every
    try:
        memory = domain.placed
        by_node = {one.node: one.bytes for one in memory.nodes}
        pool = sum(size for page, size in memory.page_sizes if page in _pool_sizes(host))
        whole = sum(size for _, size in memory.page_sizes)
        swapped = memory.swapped_bytes
    except NotSeen as unseen:
        return GuestShare(domain.name, {}, 0.0, home, 0, unseen.gap.reason)
    return GuestShare(domain.name, by_node, pool / whole if whole else 0.0, home, swapped, None)


def _pool_sizes(host: Host) -> set[int]:
    return {pool.size_bytes for node in host.numa_nodes for pool in _pools(node)}


def _pools(node: NumaNode) -> tuple[HugepagePool, ...]:
    return node.hugepages if node.gap_of("hugepages") is None else ()


def _node(node: NumaNode, guests: Sequence[GuestShare]) -> NodeShare:
    theirs = sum(guest.by_node.get(node.id, 0) for guest in guests)
    # Pages of each size are counted by process, not by process and node: a guest's are taken as mixed evenly.
    seen = sum(round(guest.by_node.get(node.id, 0) * guest.pool_ratio) for guest in guests)
    pool_free = sum(pool.free * pool.size_bytes for pool in _pools(node))
    pool_in_use = max(0, sum((pool.total - pool.free) * pool.size_bytes for pool in _pools(node)) - seen)
    known = theirs + pool_in_use + pool_free + (node.cache_bytes or 0) + node.free_bytes
    return NodeShare(
        node=node.id,
        total=node.memory_bytes,
        guests=theirs,
        pool_in_use=pool_in_use,
        pool_free=pool_free,
        cache=node.cache_bytes,
        free=node.free_bytes,
        # What was read at different moments need not add up.
        others=max(0, node.memory_bytes - known),
    )
