"""Pins and memory bindings as wants, taken from the placement, and words about them."""

from __future__ import annotations

from collections.abc import Iterable

from kvmnb.advise.cpu.ground import Ground
from kvmnb.advise.intent import Goal, Policy
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.machine.hypervisor import Thread
from kvmnb.place.asks import narrow_pins
from kvmnb.place.placement import GuestPlace
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

STOP_AND_START = (
    "it takes effect when the guest is shut down and started again; a reboot inside the guest is not enough"
)
MEMORY_STAYS = f"the memory binding: {STOP_AND_START}, and until then memory stays where it is"
START_MAY_FAIL = "a guest with strict memory does not start while its nodes have too little memory free"
NEEDS_THE_NODE = "a host that it migrates to needs nodes of the same numbers"


def layers(domain: Domain) -> tuple[tuple[str, Configuration], ...]:
    """The domain's configurations, each with the name by which a finding tells where it read."""
    found = []
    if domain.inactive is not None:
        found.append(("persistent XML", domain.inactive))
    if domain.running and domain.live is not None:
        found.append(("live XML", domain.live))
    return tuple(found)


def own_cpus_meant(domain: Domain, view: View) -> bool:
    """Whether one CPU for each vCPU is meant: by goal, by policy, or since every vCPU has it already."""
    policy = view.policy(domain)
    if policy is not None:
        return policy is Policy.DEDICATED
    wanted = domain.wanted
    if len(narrow_pins(wanted)) == wanted.vcpus:
        return True
    return view.goal(domain) in (Goal.LATENCY, Goal.THROUGHPUT) and view.intent.dedicated(domain)


def pin_wants(domain: Domain, place: GuestPlace) -> tuple[Want, ...]:
    """Every pin of the placement that is not in force, persistent and, of a running guest, live."""
    wants = [
        *vcpu_wants(domain, {vcpu: CpuSet.of(cpu) for vcpu, cpu in place.vcpus.items()}),
        *emulator_wants(domain, place.emulator),
    ]
    for iothread, cpus in place.iothreads.items():
        wants += iothread_wants(domain, iothread, cpus)
    return tuple(wants)


def stays(domain: Domain, place: GuestPlace) -> bool:
    """Whether the placement leaves every vCPU where it is pinned."""
    return not vcpu_wants(domain, {vcpu: CpuSet.of(cpu) for vcpu, cpu in place.vcpus.items()})


def vcpu_wants(domain: Domain, cpus_of: dict[int, CpuSet]) -> tuple[Want, ...]:
    """These pins of vCPUs, where they are not in force."""
    wants = []
    if domain.inactive is not None:
        present = {pin.vcpu: pin.cpus for pin in domain.inactive.vcpu_pins}
        wants += [
            Want(xml(domain, f"cputune/vcpupin[{vcpu}]/@cpuset"), str(cpus))
            for vcpu, cpus in cpus_of.items()
            if present.get(vcpu) != cpus
        ]
    if domain.running and domain.live is not None:
        present = {pin.vcpu: pin.cpus for pin in domain.live.vcpu_pins}
        # libvirt pins no vCPU that is not plugged in.
        wants += [
            Want(DomainLive(domain.name, domain.uuid, Thread.VCPU, vcpu), str(cpus))
            for vcpu, cpus in cpus_of.items()
            if vcpu < domain.live.vcpus_current and present.get(vcpu) != cpus
        ]
    return tuple(wants)


def emulator_wants(domain: Domain, cpus: CpuSet) -> tuple[Want, ...]:
    """The pin of the emulator threads, where it is not in force; none for an empty set."""
    wants = []
    if cpus and domain.inactive is not None and domain.inactive.emulator_pin != cpus:
        wants.append(Want(xml(domain, "cputune/emulatorpin/@cpuset"), str(cpus)))
    if cpus and domain.running and domain.live is not None and domain.live.emulator_pin != cpus:
        wants.append(Want(DomainLive(domain.name, domain.uuid, Thread.EMULATOR), str(cpus)))
    return tuple(wants)


def iothread_wants(domain: Domain, iothread: int, cpus: CpuSet) -> tuple[Want, ...]:
    """The pin of one iothread, where it is not in force; none for an empty set."""
    wants = []
    if cpus and domain.inactive is not None and iothread_pin(domain.inactive, iothread) != cpus:
        wants.append(Want(xml(domain, f"cputune/iothreadpin[{iothread}]/@cpuset"), str(cpus)))
    live = domain.live if domain.running else None
    if cpus and live is not None and iothread <= live.iothreads and iothread_pin(live, iothread) != cpus:
        wants.append(Want(DomainLive(domain.name, domain.uuid, Thread.IOTHREAD, iothread), str(cpus)))
    return tuple(wants)


def bind_wants(domain: Domain, nodes: CpuSet, of_host: Ground) -> tuple[Want, ...]:
    """The guest's memory bound to these nodes, where it is not; none where that changes or means nothing.

    A policy that somebody chose keeps its mode; policies of single cells are left alone.
    """
    config = domain.inactive
    if config is None or not nodes or set(of_host.memory_of) <= set(nodes):
        return ()
    if config.memory_bytes > sum(of_host.memory_of.get(node, 0) for node in nodes):
        return ()
    tune = config.numatune
    if tune is None or (tune.mode is None and not tune.cells):
        return (
            Want(xml(domain, "numatune/memory/@mode"), "strict"),
            Want(xml(domain, "numatune/memory/@nodeset"), str(nodes)),
        )
    if tune.cells or tune.placement == "auto" or tune.nodes == nodes:
        return ()
    return (Want(xml(domain, "numatune/memory/@nodeset"), str(nodes)),)


def restart_cost(domain: Domain) -> tuple[str, ...]:
    """What a change of the guest's make-up costs while it runs."""
    return (STOP_AND_START,) if domain.running else ()


def bind_costs(domain: Domain) -> tuple[str, ...]:
    """What binding a guest's memory to nodes costs."""
    return (*((MEMORY_STAYS,) if domain.running else ()), START_MAY_FAIL, NEEDS_THE_NODE)


def node_wants(domain: Domain, place: GuestPlace, of_host: Ground) -> tuple[Want, ...]:
    """The guest kept to its nodes without pins of its own: each mask that reaches beyond them is narrowed."""
    config = domain.inactive
    if config is None:
        return ()
    reach = {pin.vcpu: pin.cpus for pin in config.vcpu_pins}
    wants = []
    if set(reach) < set(range(config.vcpus)) and config.vcpu_cpus != place.cpus:
        wants.append(Want(xml(domain, "vcpu/@cpuset"), str(place.cpus)))
    wants += [
        Want(xml(domain, f"cputune/vcpupin[{vcpu}]/@cpuset"), str(place.cpus))
        for vcpu, cpus in reach.items()
        if not of_host.nodes(cpus).issubset(place.nodes)
    ]
    return tuple(wants)


def iothread_pin(layer: Configuration, iothread: int) -> CpuSet | None:
    """Where an iothread is pinned to; None where it has no pin."""
    return next((pin.cpus for pin in layer.iothread_pins if pin.iothread == iothread), None)


def xml(domain: Domain, path: str) -> DomainXml:
    """A place in the domain's persistent XML."""
    return DomainXml(domain.name, domain.uuid, path)


def pins_by_hand(domain: Domain) -> tuple[str, ...]:
    """The commands by which a person changes pins."""
    name = shell_word(domain.name)
    when = "--config --live" if domain.running else "--config"
    return (f"virsh vcpupin {name} VCPU CPU {when}", f"virsh emulatorpin {name} CPUS {when}")


def in_words(numbers: Iterable[int], noun: str) -> str:
    """Numbers as a list with their noun: ``vCPU 3``, ``vCPUs 0-3``."""
    found = CpuSet(numbers)
    return f"{noun} {found}" if len(found) == 1 else f"{noun}s {found}"


def told(seen: Iterable[tuple[str, str]]) -> list[str]:
    """Sentences with the places where each was read, one time each: ``... (persistent XML and live XML)``."""
    places: dict[str, list[str]] = {}
    for place, sentence in seen:
        places.setdefault(sentence, []).append(place)
    return [f"{sentence} ({' and '.join(dict.fromkeys(names))})" for sentence, names in places.items()]
