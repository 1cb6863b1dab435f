"""Choosing cores for one dedicated guest among those that are free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import comb

from kvmnb.core.cpuset import CpuSet
from kvmnb.place.asks import Ask
from kvmnb.place.layout import Core, Layout

# Beyond this many sets of nodes only the one with the most free cores is tried.
MOST_NODE_SETS = 500

Group = tuple[int, ...]


class Free:
    """The cores and memory that no dedicated guest has yet, per node."""

    def __init__(self, layout: Layout, cores: Sequence[Core]) -> None:
        self.layout = layout
        self.cores: dict[int, list[Core]] = {node: [] for node in layout.nodes}
        for core in cores:
            self.cores[core.node].append(core)
        self.memory = {node: layout.memory_for_guests(node) for node in layout.nodes}

    def for_guest(self, ask: Ask) -> dict[int, list[Core]]:
        """The cores that suit one guest; an isolated one only where somebody pinned it there already."""
        own = ask.wanted.pinned
        return {
            node: [
                core
                for core in cores
                if len(core.free) >= ask.width and not (core.isolated and core.cpus.isdisjoint(own))
            ]
            for node, cores in self.cores.items()
        }

    def take(self, ask: Ask, cpus: CpuSet) -> None:
        """Give the cores of these CPUs and the guest's memory away, of each node an equal share."""
        for core in {self.layout.core_of[cpu] for cpu in cpus}:
            if core in self.cores[core.node]:
                self.cores[core.node].remove(core)
        nodes = self.layout.nodes_of(cpus)
        for node in nodes:
            self.memory[node] -= ask.wanted.memory_bytes // len(nodes)

    def holds(self, size: int, nodes: Sequence[int]) -> bool:
        """Whether the nodes have this much memory left, in bytes; on a host of one node there is no choice."""
        return len(self.memory) == 1 or sum(max(0, self.memory[node]) for node in nodes) >= size


def choose(ask: Ask, free: Free, avoided: CpuSet) -> dict[int, int] | None:
    """A CPU for each vCPU of the guest, or None where the free cores do not suffice.

    ``avoided`` are CPUs that somebody uses for now: they are taken only where nothing else is left.
    """
    pick = _Pick(ask, free, avoided)
    if ask.cell_nodes and all(node in free.cores for node in ask.cell_nodes):
        bound = pick.on(list(zip(ask.cell_nodes, _units(ask), strict=False)))
        if bound is not None:
            return bound
    # Memory may be promised beyond what there is; CPUs then still go to as few nodes as can be.
    for with_memory in (True, False):
        for nodes in pick.node_sets():
            if with_memory and not free.holds(ask.wanted.memory_bytes, nodes):
                continue
            found = pick.spread(nodes)
            if found is not None:
                return found
    return None


class _Pick:
    """One guest's choice among the cores that suit it."""

    def __init__(self, ask: Ask, free: Free, avoided: CpuSet) -> None:
        self.ask = ask
        self.layout = free.layout
        self.cores = free.for_guest(ask)
        self.own = ask.wanted.pinned
        self.avoided = avoided - self.own

    def node_sets(self) -> Iterator[tuple[int, ...]]:
        """As few nodes as can be: first those of its memory and pins, then near ones, then empty ones."""
        need = len(self.ask.groups)
        pinned = self.layout.nodes_of(self.own)
        room = {node: len(cores) for node, cores in self.cores.items()}
        nodes = sorted(room, key=lambda node: (node not in self.ask.bound_nodes, node not in pinned, -room[node], node))
        emptiest = sorted(room, key=lambda node: (-room[node], node))
        for count in range(1, len(nodes) + 1):
            if sum(room[node] for node in emptiest[:count]) < need:
                continue
            if comb(len(nodes), count) > MOST_NODE_SETS:
                yield tuple(sorted(emptiest[:count]))
                continue
            sets = [chosen for chosen in combinations(nodes, count) if sum(room[node] for node in chosen) >= need]
            # The sort is stable: among equally near sets the preference of the nodes holds.
            for chosen in sorted(sets, key=lambda chosen: _apart(chosen, self.layout.distance)):
                yield tuple(sorted(chosen))

    def spread(self, nodes: Sequence[int]) -> dict[int, int] | None:
        """The guest on these nodes: in even shares, else one node filled after the other, else cells torn."""
        alone = [[group] for group in self.ask.groups]
        for units in (_units(self.ask), alone):
            even = [(nodes[position * len(nodes) // len(units)], unit) for position, unit in enumerate(units)]
            found = self.on(even) or self.on(self._filled(nodes, units))
            if found is not None:
                return found
        return None

    def _filled(self, nodes: Sequence[int], units: Sequence[Sequence[Group]]) -> list[tuple[int, Sequence[Group]]]:
        left = {node: len(self.cores[node]) for node in nodes}
        filled = []
        for unit in units:
            node = next((node for node in nodes if left[node] >= len(unit)), nodes[0])
            left[node] -= len(unit)
            filled.append((node, unit))
        return filled

    def on(self, units: Sequence[tuple[int, Sequence[Group]]]) -> dict[int, int] | None:
        """Each unit on its node."""
        by_node: dict[int, list[Group]] = {}
        for node, unit in units:
            by_node.setdefault(node, []).extend(unit)
        placed: dict[int, int] = {}
        for node, groups in by_node.items():
            cores = pick_cores(self.cores[node], len(groups), self.own, self.avoided)
            if cores is None:
                return None
            placed.update(_assign(groups, cores, self.ask.pins))
        return dict(sorted(placed.items()))


def pick_cores(cores: Sequence[Core], count: int, own: CpuSet, avoided: CpuSet) -> list[Core] | None:
    """The best cores of one node: of one kind, in whole last-level caches, the guest's own ones first."""
    if len(cores) < count:
        return None

    def cost(core: Core) -> tuple[bool, bool, int]:
        return (core.cpus.isdisjoint(own), not core.cpus.isdisjoint(avoided), core.cpus.first)

    usable = list(cores)
    for kind in sorted({core.kind for core in cores}):
        alike = [core for core in cores if core.kind == kind]
        if len(alike) >= count:
            usable = alike
            break
    else:
        usable.sort(key=lambda core: (core.kind, cost(core)))
        return sorted(usable[:count], key=lambda core: core.cpus.first)
    by_cache: dict[CpuSet, list[Core]] = {}
    for core in usable:
        by_cache.setdefault(core.cache, []).append(core)
    shares = [sorted(share, key=cost) for share in by_cache.values()]
    enough = [share for share in shares if len(share) >= count]
    if enough:
        # Of the caches with room for all of it the one with the least left over, so that large gaps stay.
        chosen = min(
            enough, key=lambda share: ([cost(core)[:2] for core in share[:count]], len(share), share[0].cpus.first)
        )
    else:
        shares.sort(key=lambda share: (-len(share), share[0].cpus.first))
        chosen = [core for share in shares for core in share]
    return sorted(chosen[:count], key=lambda core: core.cpus.first)


def _assign(groups: Sequence[Group], cores: Sequence[Core], pins: Mapping[int, int]) -> dict[int, int]:
    """A core for each group; a group whose first vCPU is on one of the cores already stays there."""
    left = list(cores)
    core_of: dict[Group, Core] = {}
    for group in groups:
        present = next((core for core in left if pins.get(group[0]) in core.free), None)
        if present is not None:
            core_of[group] = present
            left.remove(present)
    placed: dict[int, int] = {}
    for group in groups:
        core = core_of[group] if group in core_of else left.pop(0)
        stays = len(group) == 1 and pins.get(group[0]) in core.free
        placed.update(zip(group, (pins[group[0]],) if stays else core.free, strict=False))
    return placed


def _units(ask: Ask) -> list[list[Group]]:
    """What has to stay together on one node: the cores of a guest cell, else each core alone."""
    if ask.cells and all(any(set(group) <= set(cell) for cell in ask.cells) for group in ask.groups):
        return [[group for group in ask.groups if group[0] in cell] for cell in ask.cells]
    return [[group] for group in ask.groups]


def _apart(nodes: tuple[int, ...], distance: Mapping[tuple[int, int], int]) -> int:
    return sum(distance.get(pair, 0) for pair in combinations(nodes, 2))
