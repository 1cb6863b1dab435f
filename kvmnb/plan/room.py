"""Whether the host has the pages and the memory that a plan's guests ask for at their next start.

The arithmetic is per host NUMA node and page size. What a running guest holds now is free again once it
has stopped, and a pool that the same plan makes larger counts at its new size.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import GIB, KIB, format_bytes
from kvmnb.facts.domain import Configuration
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.memory import HugepagePool, NumaNode
from kvmnb.machine.machine import Machine
from kvmnb.plan.check import Check, Outcome
from kvmnb.plan.edited import EditedDomain
from kvmnb.plan.plan import Plan

_POOL = re.compile(r"sysfs:host:devices/system/node/node([0-9]+)/hugepages/hugepages-([0-9]+)kB/nr_hugepages")
_BINDING = ("strict", "restrictive")


@dataclass(frozen=True, slots=True)
class Need:
    """What one guest asks of some host nodes together, in bytes."""

    guest: str
    nodes: CpuSet
    """All of the host's where it is not bound."""
    bound: bool
    page_bytes: int | None
    """The hugepage size; None: the host's usual pages."""
    bytes: int


def room(plan: Plan, machine: Machine, host: Host, edited: Sequence[EditedDomain]) -> Iterator[Check]:
    """The checks ``hugepages``, ``memory`` and ``locked`` of a plan."""
    try:
        nodes = {node.id: node for node in host.numa_nodes}
        everywhere = CpuSet(nodes)
        growth = _growth(plan, nodes)
        yield from _growing(growth, nodes, machine)
        usual = _usual_page(machine)
        asked = [need for one in edited for need in needs(one.domain.name, one.after, everywhere, usual)]
        before = [need for one in edited for need in needs(one.domain.name, one.before, everywhere, usual)]
        held = [need for one in edited for need in _held(one, everywhere, machine)]
        yield from _pages(asked, _short_of_pages(before, held, nodes, growth), held, nodes, growth)
        yield from _bound_memory(asked, set(before), nodes, growth)
        yield from _locked(edited, host)
    except NotSeen as unseen:
        yield Check("memory", "host", Outcome.UNKNOWN, f"Whether there is room was not checked: {unseen}.")


def needs(name: str, configuration: Configuration, everywhere: CpuSet, usual_page: int | None) -> Iterator[Need]:
    """What a guest of this configuration asks for at its start, one Need for each set of nodes and page size."""
    backing, numatune = configuration.memory_backing, configuration.numatune
    cells = configuration.cpu.cells if configuration.cpu is not None else ()
    parts = [(cell.id, cell.memory_bytes) for cell in cells] or [(0, configuration.memory_bytes)]
    named = {size for size, _ in backing.page_cells}
    elsewhere = next((size for size in backing.page_sizes_bytes if size not in named), None)
    summed: dict[tuple[CpuSet, bool, int | None], int] = defaultdict(int)
    for cell, size in parts:
        own = next((node for node in (numatune.cells if numatune else ()) if node.cell == cell), None)
        mode = own.mode if own is not None else numatune.mode if numatune is not None else None
        nodes = own.nodes if own is not None else numatune.nodes if numatune is not None else None
        bound = mode in _BINDING and nodes is not None
        page = None
        if backing.hugepages:
            page = next((pages for pages, of in backing.page_cells if cell in of), None)
            page = page or elsewhere or usual_page
        summed[(nodes if bound and nodes is not None else everywhere, bound, page)] += size
    for (nodes, bound, page), size in summed.items():
        yield Need(name, nodes, bound, page, size)


def _held(one: EditedDomain, everywhere: CpuSet, machine: Machine) -> Iterator[Need]:
    """What the guest holds now and gives back when it stops: known of pool pages, where it runs with them."""
    if one.domain.running and one.domain.live is not None and one.domain.live.memory_backing.hugepages:
        yield from needs(one.domain.name, one.domain.live, everywhere, _usual_page(machine))


def _growth(plan: Plan, nodes: dict[int, NumaNode]) -> dict[tuple[int, int], int]:
    """Node and page size: by how many pages the plan changes the pool."""
    found: dict[tuple[int, int], int] = {}
    for change in plan.changes:
        match = _POOL.fullmatch(str(change.tunable))
        if match and change.after is not None and int(match[1]) in nodes:
            node, size = int(match[1]), int(match[2]) * KIB
            pool = _pool(nodes[node], size)
            found[(node, size)] = int(change.after) - (pool.total if pool is not None else 0)
    return found


def _growing(growth: dict[tuple[int, int], int], nodes: dict[int, NumaNode], machine: Machine) -> Iterator[Check]:
    """Whether a pool can become as large as the plan wants it while the host runs."""
    for (number, size), pages in growth.items():
        if pages <= 0:
            continue
        node, asked = nodes[number], pages * size
        what = f"{pages} more hugepages of {format_bytes(size)} on node {number} ({format_bytes(asked)})"
        if asked > node.memory_bytes:
            said = f"{what} are more than all memory of the node, {format_bytes(node.memory_bytes)}; want fewer"
            yield Check("hugepages", "host", Outcome.STOPS, f"{said}.")
        elif asked > node.free_bytes:
            said = (
                f"{what} need memory that is in use now: {format_bytes(node.free_bytes)} are free there. The kernel "
                "gives what it can move or drop; the read-back of the pool shows how many pages came"
            )
            yield Check("hugepages", "host", Outcome.TOLD, f"{said}.")
        else:
            yield _unfragmented(what, number, size, pages, machine)


def _unfragmented(what: str, node: int, size: int, pages: int, machine: Machine) -> Check:
    blocks = free_blocks(machine, node, size)
    if size >= GIB:
        said = (
            f"{what}: a running host seldom has a whole GiB in one piece; the read-back of the pool shows how many "
            "came, and `hugepagesz=1G hugepages=N` on the kernel's command line is sure"
        )
        return Check("hugepages", "host", Outcome.TOLD, f"{said}.")
    if blocks is None:
        return Check("hugepages", "host", Outcome.UNKNOWN, f"{what}: /proc/buddyinfo was not read.")
    if blocks < pages:
        said = f"{what}: only {blocks} pieces of that size are free in one piece, so the kernel has to move pages first"
        return Check("hugepages", "host", Outcome.TOLD, f"{said}; the read-back shows how many came.")
    return Check("hugepages", "host", Outcome.PASSED, f"{what}: {blocks} free pieces of that size are there.")


def free_blocks(machine: Machine, node: int, size: int, base_page: int = 4 * KIB) -> int | None:
    """How many free pieces of ``size`` bytes one node has, from ``/proc/buddyinfo``; None where that is not told."""
    order = (size // base_page).bit_length() - 1
    try:
        lines = machine.tree.read("proc/buddyinfo").splitlines()
    except (OSError, ValueError):
        return None
    found = None
    for line in lines:
        match = re.fullmatch(r"Node ([0-9]+), zone +\w+ +([0-9 ]+)", line)
        if match and int(match[1]) == node:
            counts = [int(word) for word in match[2].split()]
            # A piece of a higher order holds 2**(its order - ours) of ours.
            found = (found or 0) + sum(count << (at - order) for at, count in enumerate(counts) if at >= order)
    return found


def _pages(
    asked: Sequence[Need],
    short: Set[str],
    held: Sequence[Need],
    nodes: dict[int, NumaNode],
    growth: dict[tuple[int, int], int],
) -> Iterator[Check]:
    """Whether the pools hold what the guests ask for; guests that share nodes are counted together."""
    for size in sorted({need.page_bytes for need in asked if need.page_bytes}):
        wants = [need for need in asked if need.page_bytes == size]
        for among in sorted({need.nodes for need in wants}, key=str):
            inside = [need for need in wants if need.nodes <= among]
            back = [need for need in held if need.page_bytes == size and need.nodes <= among]
            free = sum(_free_pages(nodes[number], size, growth) for number in among if number in nodes)
            free += sum(_count(need.bytes, size) for need in back)
            wanted = sum(_count(need.bytes, size) for need in inside)
            who = _names(inside)
            where = f"on node {among}" if len(among) == 1 else f"on nodes {among}"
            asks = "ask" if len({need.guest for need in inside}) > 1 else "asks"
            sentence = f"{who} {asks} for {wanted} hugepages of {format_bytes(size)} {where}, and {free} are free then"
            if back:
                sentence += f" (those that {_names(back)} holds now counted)"
            if wanted > free:
                sentence += f"; reserve {wanted - free} more there before its next start, or it will not start"
                yield Check(
                    "hugepages", inside[0].guest, *_stopping({need.guest for need in inside} <= short, sentence)
                )
            else:
                yield Check("hugepages", inside[0].guest, Outcome.PASSED, f"{sentence}.")


def _bound_memory(
    asked: Sequence[Need], already: Set[Need], nodes: dict[int, NumaNode], growth: dict[tuple[int, int], int]
) -> Iterator[Check]:
    """Whether nodes that usual pages are strictly bound to can hold them."""
    wants = [need for need in asked if need.bound and need.page_bytes is None]
    for among in sorted({need.nodes for need in wants}, key=str):
        inside = [need for need in wants if need.nodes <= among]
        wanted = sum(need.bytes for need in inside)
        there = [nodes[number] for number in among if number in nodes]
        pooled = sum(_pool_bytes(node, growth) for node in there)
        whole, free = sum(node.memory_bytes for node in there) - pooled, sum(node.free_bytes for node in there)
        said = f"{_names(inside)} binds {format_bytes(wanted)} to node {among} strictly"
        if not there:
            said += ", and this host has no such node"
            yield Check("memory", inside[0].guest, *_stopping(set(inside) <= already, said))
        elif wanted > whole:
            said += (
                f", and beside its hugepages that has {format_bytes(whole)}: bind it to more nodes or make it smaller"
            )
            yield Check("memory", inside[0].guest, *_stopping(set(inside) <= already, said))
        elif wanted > free:
            said += f", where {format_bytes(free)} are free now; the rest must be dropped or moved by others first"
            yield Check("memory", inside[0].guest, Outcome.TOLD, f"{said}.")
        else:
            yield Check("memory", inside[0].guest, Outcome.PASSED, f"{said}, where {format_bytes(free)} are free now.")


def _locked(edited: Sequence[EditedDomain], host: Host) -> Iterator[Check]:
    for one in edited:
        if not one.after.memory_backing.locked:
            continue
        size, limit = one.after.memory_bytes, one.after.tuning.memory.hard_limit_bytes
        available = host.kernel.available_bytes
        said = f"{one.domain.name} locks its {format_bytes(size)}"
        if limit is not None and limit <= size:
            said += f" under a hard limit of {format_bytes(limit)}, which QEMU's own memory must fit in too"
            same = one.before.memory_backing.locked and one.before.tuning.memory.hard_limit_bytes == limit
            outcome = Outcome.TOLD if same else Outcome.STOPS
            yield Check("locked", one.domain.name, outcome, f"{said}; raise or remove the limit.")
        elif not one.after.memory_backing.hugepages and available is not None and not one.domain.running:
            outcome = Outcome.TOLD if size > available else Outcome.PASSED
            yield Check("locked", one.domain.name, outcome, f"{said}; the host has {format_bytes(available)} to give.")
        else:
            how = (
                "libvirt lifts the lock limit of its process" if limit is None else f"hard limit {format_bytes(limit)}"
            )
            yield Check("locked", one.domain.name, Outcome.PASSED, f"{said}; {how}.")


def _short_of_pages(
    asked: Sequence[Need], held: Sequence[Need], nodes: dict[int, NumaNode], growth: dict[tuple[int, int], int]
) -> frozenset[str]:
    """The guests that lack pages each for itself."""
    found = set()
    for need in asked:
        if need.page_bytes is not None:
            free = sum(_free_pages(nodes[number], need.page_bytes, growth) for number in need.nodes if number in nodes)
            back = sum(one.bytes for one in held if one.guest == need.guest and one.page_bytes == need.page_bytes)
            if _count(need.bytes - back, need.page_bytes) > free:
                found.add(need.guest)
    return frozenset(found)


def _stopping(already: bool, said: str) -> tuple[Outcome, str]:
    """A lack stops a plan only where the plan brings it; one that is there without it is told."""
    return (Outcome.TOLD, f"{said}. It is so without this plan too.") if already else (Outcome.STOPS, f"{said}.")


def _usual_page(machine: Machine) -> int | None:
    """The size of a hugepage that nobody names, from ``/proc/meminfo``; None where that tells none."""
    try:
        match = re.search(r"^Hugepagesize: +([0-9]+) kB$", machine.tree.read("proc/meminfo"), re.M)
    except (OSError, ValueError):
        return None
    return int(match[1]) * KIB if match else None


def _pool(node: NumaNode, size: int) -> HugepagePool | None:
    return next((pool for pool in node.hugepages if pool.size_bytes == size), None)


def _free_pages(node: NumaNode, size: int, growth: dict[tuple[int, int], int]) -> int:
    pool = _pool(node, size)
    return (pool.free if pool is not None else 0) + growth.get((node.id, size), 0)


def _pool_bytes(node: NumaNode, growth: dict[tuple[int, int], int]) -> int:
    return sum((pool.total + growth.get((node.id, pool.size_bytes), 0)) * pool.size_bytes for pool in node.hugepages)


def _count(size: int, page: int) -> int:
    return -(-size // page)


def _names(needs_: Iterable[Need]) -> str:
    return " and ".join(dict.fromkeys(need.guest for need in needs_))
