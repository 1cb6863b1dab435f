"""Choosing cores for one dedicated guest among those that are free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import comb

from kvmnb.core.cpuset import CpuSet
from kvmnb.place.asks import Ask
from kvmnb.place.layout import Core, Layout

# Beyond this many sets of nodes only the ones with the most free cores are tried.
MOST_NODE_SETS = 500


class Free:
    """The cores and memory that no dedicated guest has yet, per node."""

    def __init__(self, layout: Layout, cores: Sequence[Core], avoided: CpuSet) -> None:
        self.layout = layout
        self.avoided = avoided
        self.cores: dict[int, list[Core]] = {node: [] for node in layout.nodes}
        for core in cores:
            self.cores[core.node].append(core)
        self.memory = {node: layout.memory_for_guests(node) for node in layout.nodes}

    def take(self, core: Core) -> None:
        """Give a core away."""
        self.cores[core.node].remove(core)

    def take_memory(self, size: int, nodes: CpuSet) -> None:
        """Give memory away, in equal shares of the nodes, in bytes."""
        for node in nodes:
            self.memory[node] -= size // len(nodes)

    def holds(self, size: int, nodes: Sequence[int]) -> bool:
        """Whether the nodes have this much memory left; on a host of one node there is no choice."""
        return len(self.layout.nodes) == 1 or sum(max(0, self.memory[node]) for node in nodes) >= size


def choose(ask: Ask, free: Free) -> dict[int, int] | None:
    """A CPU for each vCPU of the guest, or None where its cores do not suffice."""
    if ask.cell_nodes and all(node in free.cores for node in ask.cell_nodes):
        bound = _by_node(ask, dict(enumerate(ask.cell_nodes)), _units(ask), free)
        if bound is not None:
            return bound
    for with_memory in (True, False):
        for nodes in _node_sets(ask, free):
            if with_memory and not free.holds(ask.wanted.memory_bytes, nodes):
                continue
            found = _on(ask, nodes, free)
            if found is not None:
                return found
    return None


def _node_sets(ask: Ask, free: Free) -> Iterator[tuple[int, ...]]:
    """Sets of nodes in the order of preference: as few as can be, where its memory and pins are, near, empty."""
    pinned = free.layout.nodes_of(CpuSet(ask.pins.values()))
    room = {node: sum(len(core.cpus) >= ask.width for core in cores) for node, cores in free.cores.items()}
    nodes = sorted(room, key=lambda node: (node not in ask.bound_nodes, node not in pinned, -room[node], node))
    for count in range(1, len(nodes) + 1):
        if sum(sorted(room.values(), reverse=True)[:count]) < len(ask.groups):
            continue
        if comb(len(nodes), count) > MOST_NODE_SETS:
            yield tuple(sorted(sorted(nodes, key=lambda node: (-room[node], node))[:count]))
            continue
        sets = [chosen for chosen in combinations(nodes, count) if sum(room[node] for node in chosen) >= len(ask.groups)]
        # The sort is stable: among equally near sets the preference of the nodes holds.
        for chosen in sorted(sets, key=lambda chosen: _spread(chosen, free.layout.distance)):
            yield tuple(sorted(chosen)) if count > 1 else chosen


def _spread(nodes: tuple[int, ...], distance: Mapping[tuple[int, int], int]) -> int:
    return sum(distance.get(pair, 0) for pair in combinations(nodes, 2))


def _units(ask: Ask) -> list[list[tuple[int, ...]]]:
    """What has to stay together on one node: a guest cell's cores, else each core alone."""
    if ask.cells and all(any(set(group) <= set(cell) for cell in ask.cells) for group in ask.groups):
        return [[group for group in ask.groups if group[0] in cell] for cell in ask.cells]
    return [[group] for group in ask.groups]


def _on(ask: Ask, nodes: Sequence[int], free: Free) -> dict[int, int] | None:
    """The guest on these nodes: its units in order and in even shares, else one node filled after the other."""
    units = _units(ask)
    even = {position: nodes[position * len(nodes) // len(units)] for position in range(len(units))}
    found = _by_node(ask, even, units, free)
    if found is not None or len(nodes) == 1:
        return found
    filled: dict[int, int] = {}
    left = {node: sum(len(core.cpus) >= ask.width for core in free.cores[node]) for node in nodes}
    for position, unit in enumerate(units):
        node = next((one for one in nodes if left[one] >= len(unit)), None)
        if node is None:
            return _by_node(ask, {}, [], free) if not units else _without_cells(ask, nodes, free)
        left[node] -= len(unit)
        filled[position] = node
    return _by_node(ask, filled, units, free)


def _without_cells(ask: Ask, nodes: Sequence[int], free: Free) -> dict[int, int] | None:
    """Where no cell fits a node as a whole, its cores are laid out without regard to cells."""
    units = [[group] for group in ask.groups]
    left = [node for node in nodes for core in free.cores[node] if len(core.cpus) >= ask.width]
    if len(left) < len(units):
        return None
    return _by_node(ask, dict(enumerate(left[: len(units)])), units, free)


def _by_node(
    ask: Ask, node_of: Mapping[int, int], units: Sequence[list[tuple[int, ...]]], free: Free
) -> dict[int, int] | None:
    """The units on their nodes; a group whose present core is among the chosen stays there."""
    placed: dict[int, int] = {}
    for node in sorted(set(node_of.values())):
        groups = [group for position, unit in enumerate(units) if node_of[position] == node for group in unit]
        own = CpuSet(ask.pins.values())
        cores = pick_cores(free.cores[node], len(groups), ask.width, own, free.avoided - own)
        if cores is None:
            return None
        placed.update(_assign(ask, groups, cores))
    return placed


def _assign(ask: Ask, groups: Sequence[tuple[int, ...]], cores: Sequence[Core]) -> dict[int, int]:
    left = list(cores)
    core_of: dict[tuple[int, ...], Core] = {}
    for group in groups:
        present = next((core for core in left if ask.pins.get(group[0], -1) in core.cpus), None)
        if present is not None:
            core_of[group] = present
            left.remove(present)
    placed = {}
    for group in groups:
        core = core_of.get(group) or left.pop(0)
        threads = list(core.cpus)
        present_cpu = ask.pins.get(group[0], -1)
        if len(group) == 1 and present_cpu in core.cpus:
            threads = [present_cpu]
        placed.update(zip(group, threads, strict=False))
    return placed


def pick_cores(cores: Sequence[Core], count: int, width: int, own: CpuSet, avoided: CpuSet) -> list[Core] | None:
    """The best cores of one node with ``width`` threads each: one kind, whole last-level caches, own ones first."""
    usable = [core for core in cores if len(core.cpus) >= width]
    if len(usable) < count:
        return None

    def cost(core: Core) -> tuple[bool, bool, int]:
        return (core.cpus.isdisjoint(own), not core.cpus.isdisjoint(avoided), core.cpus.first)

    for kind in sorted({core.kind for core in usable}):
        alike = [core for core in usable if core.kind == kind]
        if len(alike) >= count:
            usable = alike
            break
    else:
        usable.sort(key=lambda core: (core.kind, cost(core)))
        return sorted(usable[:count], key=lambda core: core.cpus)
    caches: dict[CpuSet, list[Core]] = {}
    for core in usable:
        caches.setdefault(core.cache, []).append(core)
    shares = [sorted(share, key=cost) for share in caches.values()]
    enough = [share for share in shares if len(share) >= count]
    if enough:
        best = min(enough, key=lambda share: ([cost(core)[:2] for core in share[:count]], len(share), share[0].cpus))
        return sorted(best[:count], key=lambda core: core.cpus)
    shares.sort(key=lambda share: (-len(share), share[0].cpus))
    return sorted([core for share in shares for core in share][:count], key=lambda core: core.cpus)
