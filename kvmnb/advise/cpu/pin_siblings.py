"""Pinned vCPUs share physical cores in another way than the guest is told.

What is seen
    A guest without threads in its topology has two vCPUs on the hardware threads of one core, or shares a core
    with a pinned vCPU of another guest; or a guest that is told of threads has the vCPUs of one guest core on
    different cores of the host. Only vCPUs with a pin to one CPU are judged. That an AMD guest needs the CPU
    feature ``topoext`` to see threads at all is not judged: the maker of the host's CPU is not read yet.

Why it hurts
    Two busy vCPUs on one core share its execution units and first-level caches; each gets clearly less than a
    core. A guest that knows of its threads spreads work over cores first, but only if what it is told is true.

What to do
    Without guest threads, put each vCPU on a core of its own and leave the sibling idle. With two threads per
    core, put vCPUs 0 and 1 on the two threads of one core, 2 and 3 on the next, and so on.

Leave it when
    The host has to use all hardware threads: then tell the guest of two threads per core and pin it in pairs,
    which keeps the guest's scheduler informed. Goal density takes shared cores for granted, so it hears nothing.

Cost
    Pins work at once and need no restart. A core for each vCPU takes twice the hardware threads. Durability:
    none. Migration: pins name this host's CPUs. Security: a core that two guests share can leak between them.

Look by hand
    ``virsh vcpupin GUEST`` beside ``cat /sys/devices/system/cpu/cpu*/topology/thread_siblings_list``.

Measure it
    The guest's own throughput with all vCPUs busy, before and after; run delay does not show this contention,
    since both threads count as running.

Sources
    * OpenStack Nova administration guide, CPU topologies, thread policies
    * QEMU source, target/i386/cpu.c (topoext is not enabled by itself)
    * Linux documentation, Hardware vulnerabilities, L1TF (guests on one core)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import Ground, Pinned, ground, guest_threads
from kvmnb.advise.cpu.pins import (
    bind_costs,
    bind_wants,
    layers,
    moves,
    own_cpus_meant,
    pin_wants,
    pins_by_hand,
    stays,
    told,
)
from kvmnb.advise.finding import Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.place.asks import narrow_pins

RULE = Rule(
    id="cpu.pin.siblings",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
)

MOST_TOLD = 4


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the guest's single pins share cores wrongly."""
    if not domain.wanted.vcpu_pins and not (domain.running and domain.live is not None and domain.live.vcpu_pins):
        return
    here = ground(view)
    if here.cores == len(here.threads):
        return
    torn = told(_torn(domain, here))
    shared, others = _shared(domain, here, within=not torn)
    if not torn and not shared:
        return
    place = view.placement.guests[domain.uuid]
    goes = bool(place.vcpus) and own_cpus_meant(domain, view) and not stays(domain, place)
    wants = pin_wants(domain, place) if goes else ()
    bindings = bind_wants(domain, place.nodes, here) if wants and moves(domain, place, here) else ()
    grave = Severity.MEDIUM if view.goal(domain) is Goal.BALANCED or not (torn or _all_run(domain, others)) else None
    yield Seen(
        saw="; ".join([*torn, *shared])
        + " (cputune/vcpupin; /sys/devices/system/cpu/cpu*/topology/thread_siblings_list)",
        wants=(*wants, *bindings),
        severity=grave,
        safety=Safety.MANUAL if not wants else Safety.DISRUPTIVE if bindings else Safety.SAFE,
        costs=bind_costs(domain) if bindings else (),
        by_hand=() if wants else _by_hand(domain, others, placed=bool(place.vcpus)),
        note=f"chosen: {place.reason}" if wants else place.reason,
    )


def _torn(domain: Domain, here: Ground) -> Iterator[tuple[str, str]]:
    """A place and a sentence for each layer in which a guest core's threads are on several cores of the host."""
    for name, layer in layers(domain):
        width = guest_threads(layer)
        if width < 2 or not any(len(threads) >= width for threads in here.threads.values()):
            continue
        pins = narrow_pins(layer)
        for first in range(0, layer.vcpus, width):
            group = [vcpu for vcpu in range(first, first + width) if pins.get(vcpu) in here.threads]
            if len({here.threads[pins[vcpu]] for vcpu in group}) > 1:
                there = ", ".join(f"vCPU {vcpu} on CPU {pins[vcpu]}" for vcpu in group)
                yield name, f"the guest is told that vCPUs {group[0]}-{group[-1]} share a core, yet {there} do not"
                break


def _shared(domain: Domain, here: Ground, *, within: bool) -> tuple[list[str], list[Pinned]]:
    """Sentences about cores that the guest's vCPUs share with other guest cores, and whose these are.

    ``within`` says whether cores that the guest shares with itself count.
    """
    sentences: list[str] = []
    others: list[Pinned] = []
    for mine in here.pins_of.get((domain.uuid, domain.name), ()):
        for sibling in here.threads.get(mine.cpu, ()):
            # Two vCPUs on the very same CPU are the business of cpu.pin.overlap.
            for other in here.pinned.get(sibling, ()) if sibling != mine.cpu else ():
                same_guest = other.domain is domain
                if same_guest and (not within or other.core == mine.core or other.vcpu < mine.vcpu):
                    continue
                who = f"vCPU {other.vcpu}" if same_guest else f"vCPU {other.vcpu} of guest {other.domain.name!r}"
                sentences.append(f"vCPU {mine.vcpu} on CPU {mine.cpu} and {who} on CPU {sibling} share a core")
                others.append(other)
    if len(sentences) > MOST_TOLD:
        sentences[MOST_TOLD:] = [f"and {len(sentences) - MOST_TOLD} more pairs like these"]
    return sentences, others


def _all_run(domain: Domain, others: list[Pinned]) -> bool:
    return any(other.domain is domain or (other.domain.running and domain.running) for other in others)


def _by_hand(domain: Domain, others: list[Pinned], *, placed: bool) -> tuple[str, ...]:
    names = sorted({repr(other.domain.name) for other in others if other.domain is not domain})
    if placed and names:
        return (f"This guest can stay; follow this rule's finding of {', '.join(names)}, which is to move.",)
    return (
        "Either free cores for it, or tell the guest of two threads per core and pin vCPUs 2k and 2k+1 to siblings.",
        *pins_by_hand(domain),
    )
