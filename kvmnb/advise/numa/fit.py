"""A guest that would fit one host node is spread over several.

What is seen
    The host has several nodes with CPUs, one of them has CPUs and memory enough for the guest, and the guest's
    vCPUs may run on more than one. Judged is the configuration that the next start takes; where its memory really
    lies is not read here. A guest that numad places, and one whose cells are bound to nodes, was spread on purpose.

Why it hurts
    Memory lies where it was first touched. As soon as a vCPU runs on another node, each access crosses the link
    between the nodes: it takes longer, and the link is narrower than the memory.

What to do
    Keep the guest on one node: its vCPUs by pins or by a mask, its memory by strict binding to the same node. The
    node is chosen for all guests together, so that none is overfilled.

Leave it when
    The guest needs the memory bandwidth of several nodes, or its memory grows beyond one.

Cost
    The whole takes effect at the guest's next start; pins of a dedicated guest also work at once. A full node keeps
    a strictly bound guest from starting. Durability: none. Migration: the other host needs the node. Security: none.

Look by hand
    ``virsh vcpupin GUEST`` and ``virsh numatune GUEST`` beside ``numactl --hardware``; ``numastat -p PID``.

Measure it
    The share of pages on the other nodes in ``/proc/PID/numa_maps``; in the guest the time of a load that reads
    much memory. One vendor saw about five per cent from binding alone, another names more than ten.

Sources
    * libvirt, Domain XML format, NUMA Node Tuning
    * Red Hat, Virtualization Tuning and Optimization Guide (RHEL 7), NUMA tuning
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.cpu.move import move_of
from kvmnb.advise.cpu.pins import (
    NEEDS_THE_NODE,
    START_MAY_FAIL,
    bind_wants,
    node_wants,
    own_cpus_meant,
    restart_cost,
)
from kvmnb.advise.cpu.reach import mask_of
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Configuration, Domain

RULE = Rule(
    id="numa.fit",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: Red Hat puts more than 10 % on lost locality",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where a guest of one node's size reaches over several."""
    wanted = domain.wanted
    here = ground(view)
    if len(here.cpu_nodes) < 2 or _spread_on_purpose(wanted):
        return
    fitting = [
        node
        for node, cpus in here.cpu_nodes.items()
        if wanted.vcpus <= len(cpus) and wanted.memory_bytes <= here.memory_of.get(node, 0)
    ]
    reach = mask_of(wanted)
    nodes = CpuSet(here.cpu_nodes) if reach is None else here.nodes(reach)
    if not fitting or len(nodes) < 2:
        return
    saw = (
        f"{wanted.vcpus} vCPUs and {format_bytes(wanted.memory_bytes)} would fit node {fitting[0]} "
        f"({len(here.cpu_nodes[fitting[0]])} CPUs, {format_bytes(here.memory_of[fitting[0]])}; "
        "/sys/devices/system/node), "
        f"and the vCPUs may run on {'all CPUs' if reach is None else f'CPUs {reach}'}, that is on nodes {nodes} "
        "(persistent XML: cputune/vcpupin, vcpu/@cpuset)"
    )
    place = view.placement.guests[domain.uuid]
    note = "load not measured: where its memory lies was not read"
    if len(place.nodes) != 1 or domain.inactive is None:
        # Where no node has room the spread is the price of the other guests, not a fault of this one.
        yield Seen(
            saw=saw,
            severity=Severity.LOW,
            sure=Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=("Free a node for it (move a guest away), or give it fewer vCPUs or less memory.",),
            note=f"{note}; beside the other guests no single node has room for it",
        )
        return
    if place.vcpus and own_cpus_meant(domain, view):
        move = move_of(domain, view, here, bind=True)
        wants, safety, costs, by_hand = move.all_wants, move.safety, move.costs, move.by_hand()
        chosen = place.reason
    else:
        bindings = bind_wants(domain, place.nodes, here)
        wants, by_hand = (*node_wants(domain, place, here), *bindings), ()
        # A mask waits for the next start with the binding.
        costs = (*restart_cost(domain), *((START_MAY_FAIL, NEEDS_THE_NODE) if bindings else ()))
        safety = Safety.DISRUPTIVE if costs else Safety.SAFE
        chosen = f"node {place.nodes}"
    yield Seen(
        saw=saw,
        wants=wants,
        sure=Sure.LIKELY,
        safety=safety,
        costs=costs,
        by_hand=by_hand,
        note=f"{note}; chosen: {chosen}",
    )


def _spread_on_purpose(wanted: Configuration) -> bool:
    cells = len(wanted.cpu.cells) if wanted.cpu is not None else 0
    bound_cells = wanted.numatune is not None and bool(wanted.numatune.cells)
    return wanted.vcpu_placement == "auto" or (cells > 1 and bound_cells)
