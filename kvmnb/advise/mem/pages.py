"""How many hugepages guests need, of which size and on which nodes, and how many there are.

Pages of a cell are its memory divided by the page size, rounded up; nothing is added for video memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kvmnb.advise.numa.bound import HOLDING
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import GIB, KIB, MIB, parse_kernel_size
from kvmnb.facts.domain import Configuration, MemoryBacking
from kvmnb.facts.host import Host

USUAL_SIZE = 2 * MIB
HUGE_SIZE = GIB


@dataclass(frozen=True, slots=True)
class Need:
    """Pages of one size that a guest, or one cell of it, takes at its start."""

    size: int
    """In bytes."""
    pages: int
    nodes: CpuSet | None
    """The nodes that they must come from; None: any."""


def default_size(view: View) -> int:
    """The size that ``<hugepages/>`` alone means on the host of an audit."""
    return default_size_of(view.host)


def default_size_of(host: Host) -> int:
    """The size that ``<hugepages/>`` alone means: by the kernel's command line, else the usual one."""
    for word in host.kernel.command_line:
        name, _, size = word.partition("=")
        if name == "default_hugepagesz":
            try:
                return parse_kernel_size(size)
            except KvmnbError:
                continue
    sizes = {pool.size_bytes for node in host.numa_nodes for pool in node.hugepages}
    return USUAL_SIZE if USUAL_SIZE in sizes or not sizes else min(sizes)


def needs(layer: Configuration, default: int) -> tuple[Need, ...]:
    """What a guest with hugepages takes; empty for one without."""
    backing = layer.memory_backing
    return _needs(layer, lambda cell: _size_of(backing, cell, default), default) if backing.hugepages else ()


def needs_of_size(layer: Configuration, size: int) -> tuple[Need, ...]:
    """What a guest would take if all of its memory lay in pages of this size."""
    return _needs(layer, lambda cell: size, size)


def _needs(layer: Configuration, size_of: Callable[[int | None], int], default: int) -> tuple[Need, ...]:
    cells = layer.cpu.cells if layer.cpu is not None else ()
    if not cells:
        return (_need(size_of(None), layer.memory_bytes, _nodes(layer, None)),)
    found = [_need(size_of(cell.id), cell.memory_bytes, _nodes(layer, cell.id)) for cell in cells]
    if layer.memory_modules_bytes:
        found.append(_need(default, layer.memory_modules_bytes, None))
    return tuple(found)


def _need(size: int, memory: int, nodes: CpuSet | None) -> Need:
    return Need(size, -(-memory // size) if size else 0, nodes)


def _size_of(backing: MemoryBacking, cell: int | None, default: int) -> int:
    of_cells = [size for size, cells in backing.page_cells if cell is not None and cell in cells]
    others = [size for size in backing.page_sizes_bytes if size not in {one for one, _ in backing.page_cells}]
    return next(iter(of_cells or others), default)


def _nodes(layer: Configuration, cell: int | None) -> CpuSet | None:
    tune = layer.numatune
    if tune is None or tune.placement == "auto":
        return None
    for one in tune.cells:
        if one.cell == cell:
            return one.nodes if one.mode in HOLDING else None
    return tune.nodes if tune.mode in HOLDING else None


def free_pages(host: Host, size: int) -> dict[int, int]:
    """The free pages of one size on each node that has a pool of it."""
    return {node.id: pool.free for node in host.numa_nodes for pool in node.hugepages if pool.size_bytes == size}


def all_pages(host: Host, size: int) -> dict[int, int]:
    """All pages of one size on each node that has a pool of it."""
    return {node.id: pool.total for node in host.numa_nodes for pool in node.hugepages if pool.size_bytes == size}


def pool_bytes(host: Host) -> int:
    """The memory that the pools of all sizes hold, in use or not."""
    return sum(pool.total * pool.size_bytes for node in host.numa_nodes for pool in node.hugepages)


def shortages(asked: Iterable[Need], free: Mapping[int, int]) -> dict[CpuSet, int]:
    """Pages that are missing, by the nodes that they are missing on; of needs of one size.

    What may come from a set of nodes is counted together with all that must come from a part of it.
    """
    everywhere = CpuSet(free)
    asked = tuple(asked)
    groups = {need.nodes if need.nodes is not None else everywhere for need in asked} | {everywhere}
    missing: dict[CpuSet, int] = {}
    for group in sorted(groups, key=lambda nodes: (len(nodes), nodes)):
        wanted = sum(need.pages for need in asked if (everywhere if need.nodes is None else need.nodes).issubset(group))
        covered = sum(pages for nodes, pages in missing.items() if nodes.issubset(group))
        lack = wanted - sum(free.get(node, 0) for node in group) - covered
        if lack > 0:
            missing[group] = lack
    return missing


def boot_words(view: View) -> dict[int, str]:
    """The ``hugepages=`` word of the kernel's command line for each page size that it reserves."""
    found = {}
    size = default_size(view)
    for word in view.host.kernel.command_line:
        name, _, value = word.partition("=")
        if name == "hugepagesz":
            try:
                size = parse_kernel_size(value)
            except KvmnbError:
                size = 0
        elif name == "hugepages" and any(part.rpartition(":")[2].strip("0") for part in value.split(",")):
            found[size] = value
    return found


def size_words(size: int) -> str:
    """A page size as the kernel's folders name it."""
    return f"hugepages-{size // KIB}kB"
