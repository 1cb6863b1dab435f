"""A simple placement: the guests one after the other, good pins kept, whole cores handed out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.place.asks import Ask, ask_of, narrow_pins
from kvmnb.place.choose import Free, choose
from kvmnb.place.kept import keep_good_pins
from kvmnb.place.layout import Layout, lay_out
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
    placed = _widest_circle(layout, asks, asking, kept)
    demand = _demand(asking, layout)
    rest = Rest(layout, [(ask, placed[ask.domain.uuid]) for ask in asks if ask.domain.uuid in placed])
    nodes_of = {
        ask.domain.uuid: layout.nodes_of(CpuSet(placed[ask.domain.uuid].values()))
        if ask.domain.uuid in placed
        else rest.nodes_for(ask)
        for ask in asks
    }
    open_cpus = rest.cpus()
    guests = {}
    for ask in asks:
        uuid = ask.domain.uuid
        pins, nodes = placed.get(uuid, {}), nodes_of[uuid]
        if pins:
            reason = _why_here(ask, nodes, stays=uuid in kept)
        else:
            reason = (
                f"it gets no CPUs of its own: {demand}" if uuid in dedicated else "it shares CPUs with other guests"
            )
        emulator, iothreads = service_threads(ask, pins, nodes, layout, rest.dedicated)
        guests[uuid] = GuestPlace(
            vcpus=pins,
            cpus=union(open_cpus[node] for node in nodes or layout.nodes) | CpuSet(pins.values()),
            emulator=emulator,
            iothreads=iothreads,
            nodes=nodes,
            reason=reason,
        )
    return Placement(housekeeping=layout.housekeeping, guests=guests, fits=len(placed) == len(asking), reason=demand)


def _widest_circle(
    layout: Layout, asks: Sequence[Ask], asking: Sequence[Ask], kept: Mapping[str, Pins]
) -> dict[str, Pins]:
    """The CPUs of the largest circle of dedicated guests in which each one gets its own."""
    pinned = [ask for ask in asking if ask.wanted.dedicated]
    circles = (
        asking,
        [ask for ask in asking if ask.domain.running or ask.wanted.dedicated],
        pinned,
        [ask for ask in pinned if ask.domain.running],
    )
    for circle in circles:
        found = _attempt(layout, asks, [ask for ask in circle if ask.domain.uuid not in kept], kept)
        if found is not None:
            return {**kept, **found}
    return dict(kept)


def _attempt(
    layout: Layout, asks: Sequence[Ask], members: Sequence[Ask], kept: Mapping[str, Pins]
) -> dict[str, Pins] | None:
    """CPUs for all members beside the guests that stay where they are, or None where one gets none."""
    if sum(len(ask.groups) for ask in members) > len(layout.cores):
        return None
    moving = {ask.domain.uuid for ask in members}
    standing = _narrow(ask for ask in asks if ask.domain.uuid not in moving)
    taken = {layout.core_of[cpu] for cpu in standing if cpu in layout.core_of}
    free = Free(layout, [core for core in layout.cores if core.free and core not in taken])
    for ask in asks:
        if ask.domain.uuid in kept:
            free.take(ask, CpuSet(kept[ask.domain.uuid].values()))
    service = union(_service_pins(ask) for ask in asks if ask.wanted.dedicated)
    found: dict[str, Pins] = {}
    for position, ask in enumerate(members):
        # What a later guest leaves is free only after its own change.
        pins = choose(ask, free, service | _narrow(members[position + 1 :]))
        if pins is None:
            return None
        free.take(ask, CpuSet(pins.values()))
        found[ask.domain.uuid] = pins
    return found


def _narrow(asks: Iterable[Ask]) -> CpuSet:
    """The CPUs that vCPUs of these guests are pinned to alone, in either configuration."""
    return CpuSet(
        cpu
        for ask in asks
        for layer in (ask.wanted, ask.domain.live)
        if layer is not None
        for cpu in narrow_pins(layer).values()
    )


def _service_pins(ask: Ask) -> CpuSet:
    return union([ask.wanted.emulator_pin or CpuSet(), *(pin.cpus for pin in ask.wanted.iothread_pins)])


def _demand(asking: Sequence[Ask], layout: Layout) -> str:
    """One sentence: what is asked of the host and what it has."""
    vcpus, cores = sum(ask.wanted.vcpus for ask in asking), sum(len(ask.groups) for ask in asking)
    free = sum(bool(core.free) for core in layout.cores)
    alone = sum(core.isolated and bool(core.free) for core in layout.cores)
    text = (
        f"the {vcpus} vCPUs of {len(asking)} dedicated guests need {cores} physical cores, "
        f"and {free} are there beside the host's own (CPUs {layout.housekeeping})"
    )
    return f"{text}; {alone} of them are isolated and only for guests that are pinned there" if alone else text


def _why_here(ask: Ask, nodes: CpuSet, *, stays: bool) -> str:
    where = f"node {nodes}" if len(nodes) == 1 else f"nodes {nodes}"
    if stays:
        return f"its pins on {where} are good and stay"
    how = "one vCPU on each core" if ask.width == 1 else f"{ask.width} vCPUs on the threads of each core"
    return f"{len(ask.groups)} cores of {where}, {how}"
