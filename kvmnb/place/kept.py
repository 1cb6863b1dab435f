"""Which guests' present pins are good, so that they stay where they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kvmnb.place.asks import Ask
from kvmnb.place.layout import Core, Layout


def keep_good_pins(asks: Iterable[Ask], layout: Layout) -> dict[str, Mapping[int, int]]:
    """The CPU of each vCPU, by UUID, of the guests that stay; of two that share a core the first one does."""
    kept: dict[str, Mapping[int, int]] = {}
    taken: set[Core] = set()
    for ask in asks:
        cores = _cores(ask, layout)
        if cores and taken.isdisjoint(cores):
            taken.update(cores)
            kept[ask.domain.uuid] = ask.pins
    return kept


def _cores(ask: Ask, layout: Layout) -> set[Core]:
    """The cores that the guest is pinned to; empty unless its pins are good."""
    pins = ask.pins
    if len(pins) < ask.wanted.vcpus or len(set(pins.values())) < len(pins):
        return set()
    if any(cpu not in layout.core_of or cpu in layout.housekeeping for cpu in pins.values()):
        return set()
    cores: set[Core] = set()
    for group in ask.groups:
        of_group = {layout.core_of[pins[vcpu]] for vcpu in group}
        if len(of_group) > 1 or not cores.isdisjoint(of_group):
            return set()
        cores |= of_group
    return cores if _well_on_nodes(ask, cores, layout) else set()


def _well_on_nodes(ask: Ask, cores: set[Core], layout: Layout) -> bool:
    """Whether it lies in one node, or is too large for one and has each of its cells in one."""
    if len({core.node for core in cores}) == 1:
        return True
    if fits_one_node(ask, layout) and not ask.cell_nodes:
        return False
    return all(
        len({layout.core_of[ask.pins[vcpu]].node for vcpu in cell if vcpu in ask.pins}) <= 1 for cell in ask.cells
    )


def fits_one_node(ask: Ask, layout: Layout) -> bool:
    """Whether some node, were it empty, had cores and memory for the guest."""
    return any(
        sum(core.node == node and len(core.free) >= ask.width for core in layout.cores) >= len(ask.groups)
        and layout.memory_for_guests(node) >= ask.wanted.memory_bytes
        for node in layout.nodes
    )
