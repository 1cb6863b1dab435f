"""Iothreads of a pinned guest may run on the CPUs of its vCPUs.

What is seen
    The guest has pinned vCPUs and iothreads, and an iothread is not held anywhere, or is held to CPUs that a vCPU
    of the same guest is pinned to. Whether the iothread is near its disk's controller is not judged: the nodes of
    disk controllers are not read yet. Under the goals balanced and density only guests with a vCPU on a single CPU
    are judged.

Why it hurts
    An iothread keeps polling for a while after each request (up to 32 microseconds in QEMU's default), so a busy
    one fills a CPU. Whichever pinned vCPU it lands on has to wait for it.

What to do
    Give each busy iothread a CPU that the host keeps for itself, on the guest's node.

Leave it when
    The guest's disks are idle, or the host has no CPU that is free of pinned vCPUs.

Cost
    Works at once, needs no restart. Durability: none. Migration: the pin names this host's CPUs. Security: none.

Look by hand
    ``virsh iothreadinfo GUEST`` shows each iothread and its CPUs.

Measure it
    Run delay of the vCPU threads and the disks' request times under the same disk load, before and after.

Sources
    * libvirt, Domain XML format, CPU Tuning (iothreadpin)
    * QEMU source, iothread.c (IOTHREAD_POLL_MAX_NS_DEFAULT)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.cpu.move import move_of, pins_alone
from kvmnb.advise.cpu.pins import iothread_pin, iothread_wants, layers, told
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.place.asks import narrow_pins
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="cpu.pin.iothread",
    severity=Severity.MEDIUM,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: steadier disk answers",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where an iothread of a pinned guest is not kept away from its vCPUs."""
    shared_pool_is_meant = view.goal(domain) not in (Goal.LATENCY, Goal.THROUGHPUT)
    seen: list[tuple[str, str]] = []
    numbers: set[int] = set()
    for name, layer in layers(domain):
        if not layer.vcpu_pins or (shared_pool_is_meant and not narrow_pins(layer)):
            continue
        for number, sentence in _competing(layer):
            numbers.add(number)
            seen.append((name, sentence))
    if not seen:
        return
    place = view.placement.guests[domain.uuid]
    present = CpuSet(cpu for _, layer in layers(domain) for cpu in layer.pinned)
    given = {number: place.iothreads.get(number, CpuSet()) for number in sorted(numbers)}
    if union(given.values()).isdisjoint(present):
        wants = tuple(want for number, cpus in given.items() for want in iothread_wants(domain, number, cpus))
        move = pins_alone(domain, wants if all(given.values()) else (), place.reason)
    else:
        move = move_of(domain, view, ground(view))
    name = shell_word(domain.name)
    yield Seen(
        saw="; ".join(told(seen)),
        wants=move.all_wants,
        safety=move.safety,
        costs=move.costs,
        by_hand=move.by_hand(
            ("Free a CPU that no vCPU is pinned to, then:", f"virsh iothreadpin {name} IOTHREAD CPU --config")
        ),
        note=None if move.wants else place.reason,
    )


def _competing(layer: Configuration) -> Iterator[tuple[int, str]]:
    for number in range(1, layer.iothreads + 1):
        pin = iothread_pin(layer, number)
        cpus = pin if pin is not None else layer.vcpu_cpus
        if cpus is None:
            yield (
                number,
                f"iothread {number} has no cputune/iothreadpin; it may run on CPUs {layer.pinned}, where vCPUs are",
            )
        elif both := cpus & layer.pinned:
            yield number, f"iothread {number} may run on CPUs {cpus}, where vCPUs are pinned to CPUs {both}"
