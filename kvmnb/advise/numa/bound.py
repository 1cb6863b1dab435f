"""Which host nodes a guest's memory and vCPUs are held to."""

from __future__ import annotations

from kvmnb.advise.cpu.reach import mask_of
from kvmnb.advise.numa import fit
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.host import Host

# preferred and interleave take memory from elsewhere too.
HOLDING = ("strict", "restrictive")


def memory_nodes(layer: Configuration) -> CpuSet | None:
    """The nodes that all memory must come from; None where some may come from any node."""
    tune = layer.numatune
    if tune is None or tune.placement == "auto":
        return None
    if tune.nodes is not None:
        return tune.nodes if tune.mode in HOLDING else None
    cells = {cell.id for cell in layer.cpu.cells} if layer.cpu is not None else set()
    if not cells or {one.cell for one in tune.cells} < cells or any(one.mode not in HOLDING for one in tune.cells):
        return None
    return union(one.nodes for one in tune.cells)


def is_bound(layer: Configuration, host: Host) -> bool:
    """Whether memory is held to nodes, and the vCPUs to CPUs of the same nodes."""
    nodes, mask = memory_nodes(layer), mask_of(layer)
    return nodes is not None and mask is not None and bool(nodes) and host.nodes_of(mask).issubset(nodes)


def roams(layer: Configuration, host: Host) -> bool:
    """Whether nothing holds the memory, and the vCPUs may run on several nodes."""
    if memory_nodes(layer) is not None or layer.vcpu_placement == "auto":
        return False
    mask = mask_of(layer)
    return mask is None or len(host.nodes_of(mask)) > 1


def nodes_to_come(domain: Domain, view: View) -> CpuSet | None:
    """The node that numa.fit wants a guest on, for rules that should not advise against it; None where it does not."""
    if view.goal(domain) not in fit.RULE.goals or not any(seen.wants for seen in fit.check(domain, view)):
        return None
    return view.placement.guests[domain.uuid].nodes
