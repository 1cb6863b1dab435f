"""The vCPUs are held to some nodes, the memory is not.

What is seen
    Every vCPU is held, by pins or by ``vcpu/@cpuset``, to CPUs of only some of the host's nodes, and ``numatune`` is
    absent or names other nodes. Judged for every goal: whoever holds the vCPUs to a node means the memory too.

Why it hurts
    A CPU mask never places memory. Memory comes from the node of whichever thread touches it first, and once that
    node is full, silently from a far one. The vCPUs then stay near nothing.

What to do
    ``numatune`` with mode ``strict`` and the nodes of the vCPUs. Where the start must never fail choose
    ``preferred``, which takes far memory rather than none. A mode that somebody chose is kept.

Leave it when
    The guest's memory is larger than its nodes hold (nothing is then said), or memory is spread for bandwidth.

Cost
    Takes effect at the guest's next start; a running guest keeps its memory where it is. With strict binding a
    full node keeps the guest from starting, or kills it, while other nodes have memory free. Durability: none.
    Migration: the other host needs the node. Security: none.

Look by hand
    ``virsh numatune GUEST``; ``grep -c bind /proc/PID/numa_maps``.

Measure it
    The pages on each node in ``/proc/PID/numa_maps``, and ``numastat -p PID``, before and after a new start.

Sources
    * libvirt, Domain XML format, NUMA Node Tuning
    * libvirt source, src/qemu/qemu_driver.c (what of numatune changes live)
    * libvirt release notes 8.0.0 (nodes under strict cannot change live)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.cpu.move import move_of, pins_alone
from kvmnb.advise.cpu.pins import bind_costs, bind_wants, own_cpus_meant
from kvmnb.advise.cpu.reach import mask_of
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import union
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="numa.strict",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: the other half of numa.fit's more than 10 %",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the memory is not bound to the nodes of the vCPUs."""
    wanted = domain.wanted
    reach = mask_of(wanted)
    if reach is None or wanted.vcpu_placement == "auto":
        return
    here = ground(view)
    nodes = here.nodes(reach)
    if not nodes or set(here.memory_of) <= set(nodes):
        return
    held = sum(here.memory_of.get(node, 0) for node in nodes)
    tune = _tune_words(wanted)
    bound = _bound(wanted)
    if bound == nodes or bound == "auto" or wanted.memory_bytes > held:
        return
    place = view.placement.guests[domain.uuid]
    # Memory follows the vCPUs: to where they are, or with them to where they have to go.
    goes = bool(place.vcpus) and own_cpus_meant(domain, view) and place.nodes != nodes
    move = move_of(domain, view, here, bind=True) if goes else pins_alone(domain, bind_wants(domain, nodes, here), "")
    wants = move.all_wants
    yield Seen(
        saw=f"all vCPUs are held to CPUs {reach} of node {nodes} (persistent XML: cputune/vcpupin, vcpu/@cpuset), "
        f"and {tune}; the guest has {format_bytes(wanted.memory_bytes)}, the node {format_bytes(held)}",
        wants=wants,
        safety=Safety.DISRUPTIVE if wants else Safety.MANUAL,
        costs=bind_costs(domain) if wants else (),
        by_hand=move.by_hand(
            (f"virsh numatune {shell_word(domain.name)} --nodeset {nodes} --config  # or edit its memnode elements",)
        ),
        note=None
        if wants
        else "a person decides: its cells are bound one by one, or it cannot be edited, or others must move first",
    )


def _bound(wanted: Configuration) -> object:
    """The nodes that the memory is bound to; ``auto`` where numad chooses, None where it is not bound."""
    tune = wanted.numatune
    if tune is None:
        return None
    if tune.placement == "auto":
        return "auto"
    if tune.cells:
        return union(
            [tune.nodes, *(cell.nodes for cell in tune.cells)] if tune.nodes else [cell.nodes for cell in tune.cells]
        )
    return tune.nodes


def _tune_words(wanted: Configuration) -> str:
    tune = wanted.numatune
    if tune is None or (tune.nodes is None and not tune.cells):
        return "there is no numatune/memory"
    if tune.nodes is None:
        return f"numatune/memnode binds cells to nodes {union(cell.nodes for cell in tune.cells)}"
    return f"numatune/memory binds to nodes {tune.nodes} ({tune.mode})"
