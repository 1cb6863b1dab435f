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

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.cpu.clash import in_short, on_same_core, part, seen_waiting
from kvmnb.advise.cpu.ground import Ground, ground, guest_threads
from kvmnb.advise.cpu.move import move_of
from kvmnb.advise.cpu.pins import layers, pins_by_hand, told
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.advise.voice import Voice
from kvmnb.facts.domain import Domain
from kvmnb.place.asks import narrow_pins

RULE = Rule(
    id="cpu.pin.siblings",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: Nova's guide puts up to 30 % between sharing a core well and badly",
    voices={
        Goal.BALANCED: Voice(severity=Severity.MEDIUM, why="some sharing of cores is the price of balance"),
        Overlay.SECURITY: Voice(
            severity=Severity.HIGH, why="threads of one core can learn from each other what they work on"
        ),
    },
)

SOURCE = "cputune/vcpupin; /sys/devices/system/cpu/cpu*/topology/thread_siblings_list"
SHARE_KNOWINGLY = (
    "Either free cores for it, or tell the guest of two threads per core and pin vCPUs 2k and 2k+1 to siblings."
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the guest's single pins share cores wrongly."""
    if not domain.wanted.vcpu_pins and not (domain.running and domain.live is not None and domain.live.vcpu_pins):
        return
    here = ground(view)
    if here.cores == len(here.threads):
        return
    own = told(_torn(domain, here)) or _with_itself(domain, here)
    clashes = on_same_core(domain, here)
    if not own and not clashes:
        return
    move = move_of(domain, view, here)
    mine, waiting = part(clashes, move, view, here)
    if own or mine:
        yield Seen(
            saw=f"{'; '.join(in_short(own, mine))} ({SOURCE})",
            wants=move.all_wants,
            severity=None if own or any(one.both_run for one in mine) else Severity.MEDIUM,
            safety=move.safety,
            costs=move.costs,
            by_hand=move.by_hand((SHARE_KNOWINGLY, *pins_by_hand(domain))),
            note=f"chosen: {move.reason}" if move.wants else move.reason,
        )
    if waiting:
        yield seen_waiting(waiting, None, SOURCE)


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


def _with_itself(domain: Domain, here: Ground) -> list[str]:
    """Sentences about cores that two of the guest's own cores share."""
    mine = sorted(here.pins_of.get((domain.uuid, domain.name), ()), key=lambda pin: pin.vcpu)
    return list(
        dict.fromkeys(
            f"vCPU {one.vcpu} on CPU {one.cpu} and vCPU {other.vcpu} on CPU {other.cpu} share a core"
            for position, one in enumerate(mine)
            for other in mine[position + 1 :]
            if one.core != other.core and one.cpu != other.cpu and other.cpu in here.threads.get(one.cpu, ())
        )
    )
