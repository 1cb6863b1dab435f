"""A simple placement: the guests one after the other, good pins kept, whole cores handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.place.asks import Ask, ask_of, narrow_pins
from kvmnb.place.choose import Free, choose
from kvmnb.place.kept import keep_good_pins
from kvmnb.place.layout import Core, Layout, lay_out
from kvmnb.place.placement import GuestPlace, Placement
from kvmnb.place.rest import Rest
from kvmnb.place.service import service_threads

Pins = Mapping[int, int]


def place(host: Host, domains: Sequence[Domain], dedicated: frozenset[str]) -> Placement:
    """Where each guest belongs; ``dedicated`` names, by UUID, the guests that are to have CPUs of their own.

    Where not all of them can, those that run or are pinned already come first, then only those that are pinned;
    the others are given a node and no pins. NotSeen where a fact that it needs is a gap.
    """
    layout = lay_out(host)
    asks = sorted((ask_of(domain, layout) for domain in domains), key=lambda ask: ask.order)
    asking = [ask for ask in asks if ask.domain.uuid in dedicated]
    kept = keep_good_pins(asking, layout)
    placed = _first_that_fits(layout, asks, asking, kept)
    fits = len(placed) == len(asking)
    vcpus = sum(ask.wanted.vcpus for ask in asking)
    cores = sum(len(ask.groups) for ask in asking)
    free = len(_cores_for_guests(layout))
    demand = f"{vcpus} vCPUs of {len(asking)} dedicated guests ask for {cores} cores of their own; the host has {free} to give"
    rest = Rest(layout, [ask for ask in asks if ask.domain.uuid in placed], placed)
    guests = {}
    for ask in asks:
        uuid = ask.domain.uuid
        pins = placed.get(uuid, {})
        if pins:
            nodes = layout.nodes_of(CpuSet(pins.values()))
            reason = f"its pins are good and stay, on {_nodes(nodes)}" if uuid in kept else _why_here(ask, nodes)
        else:
            nodes = rest.nodes_for(ask)
            reason = f"it is not pinned: {demand}" if uuid in dedicated else "it shares its CPUs with other guests"
        emulator, iothreads = service_threads(ask, pins, nodes, layout, rest.dedicated)
        guests[uuid] = GuestPlace(
            vcpus=pins, cpus=rest.cpus_of(nodes), emulator=emulator, iothreads=iothreads, nodes=nodes, reason=reason
        )
    return Placement(housekeeping=layout.housekeeping, guests=guests, fits=fits, reason=demand)


def _first_that_fits(
    layout: Layout, asks: Sequence[Ask], asking: Sequence[Ask], kept: Mapping[str, Pins]
) -> dict[str, Pins]:
    """The CPUs of the widest circle of dedicated guests that all get cores of their own."""
    pinned = [ask for ask in asking if ask.wanted.dedicated]
    circles = (
        asking,
        [ask for ask in asking if ask.domain.running or ask.wanted.dedicated],
        pinned,
        [ask for ask in pinned if ask.domain.running],
    )
    for circle in circles:
        members = [ask for ask in circle if ask.domain.uuid not in kept]
        found = _attempt(layout, asks, members, kept)
        if found is not None:
            return {**kept, **found}
    return dict(kept)


def _attempt(
    layout: Layout, asks: Sequence[Ask], members: Sequence[Ask], kept: Mapping[str, Pins]
) -> dict[str, Pins] | None:
    moving = {ask.domain.uuid for ask in members}
    standing = CpuSet(cpu for pins in kept.values() for cpu in pins.values())
    for ask in asks:
        if ask.domain.uuid not in moving and ask.domain.uuid not in kept:
            standing |= _present(ask.domain)
    cores = [core for core in _cores_for_guests(layout) if _whole(core, layout).isdisjoint(standing)]
    if sum(len(ask.groups) for ask in members) > len(cores):
        return None
    free = Free(layout, cores, CpuSet())
    by_uuid = {ask.domain.uuid: ask for ask in asks}
    for uuid, pins in kept.items():
        free.take_memory(by_uuid[uuid].wanted.memory_bytes, layout.nodes_of(CpuSet(pins.values())))
    found: dict[str, Pins] = {}
    for ask in members:
        own = CpuSet(ask.pins.values()) & layout.isolated
        # An isolated CPU is only for the guest that was put there by hand.
        mine = [core for core in cores if not core.cpus.isdisjoint(layout.isolated)]
        barred = [core for core in mine if core in free.cores[core.node] and core.cpus.isdisjoint(own)]
        for core in barred:
            free.take(core)
        free.avoided = _service_pins(asks) | union(
            _present(other.domain) for other in members if other is not ask and other.domain.uuid not in found
        )
        pins = choose(ask, free)
        for core in barred:
            free.cores[core.node].append(core)
        if pins is None:
            return None
        found[ask.domain.uuid] = pins
        for core in {layout.core_of[cpu] for cpu in pins.values()}:
            free.take(next(one for one in free.cores[core.node] if one.cpus.issubset(core.cpus)))
        free.take_memory(ask.wanted.memory_bytes, layout.nodes_of(CpuSet(pins.values())))
    return found
