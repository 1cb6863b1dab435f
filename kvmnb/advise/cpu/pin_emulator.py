"""Emulator threads may run on the CPUs of pinned vCPUs.

What is seen
    The guest has pinned vCPUs, and its emulator threads are either not held anywhere (no ``emulatorpin`` and no
    ``vcpu/@cpuset`` that keeps them away), or held to CPUs that a vCPU of the same guest is pinned to. Under the
    goals balanced and density only guests with a vCPU on a single CPU are judged: a pool that vCPUs and emulator
    share is a choice.

Why it hurts
    The emulator's main loop, its workers and, since Linux 6.4, the vhost network threads run where the emulator
    may. On a pinned vCPU's CPU each of them pushes that vCPU aside, and the vCPU has nowhere else to go.

What to do
    Hold the emulator threads to CPUs that the host keeps for itself, on the nodes of the guest's memory: QEMU
    allocates that memory from an emulator thread, so they must be able to reach every node of the guest.

Leave it when
    The CPU that they share has time to spare by measurement, or there is no other CPU on the host.

Cost
    Works at once, needs no restart. Durability: none. Migration: the pin names this host's CPUs. Security: none.
    With busy vhost threads of many guests, one CPU for all of them can become the narrow place.

Look by hand
    ``virsh emulatorpin GUEST``, and ``grep Cpus_allowed_list /proc/PID/task/*/status`` beside ``comm``.

Measure it
    The longest run delay of the vCPU threads while the guest does network or disk work; the mean moves little.

Sources
    * libvirt, Domain XML format, CPU Tuning (emulatorpin)
    * OpenStack Nova administration guide, CPU topologies, emulator threads policy
    * libvirt release notes 9.5.0, NUMA memory allocation
    * Linux commit f9010dbdce91 (vhost workers as threads of their owner)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.cpu.move import move_of, pins_alone
from kvmnb.advise.cpu.pins import emulator_wants, layers, pins_by_hand, told
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.place.asks import narrow_pins

RULE = Rule(
    id="cpu.pin.emulator",
    severity=Severity.MEDIUM,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: fewer interruptions of vCPUs; it evens answers more than it speeds them up",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the emulator threads of a pinned guest are not kept away from its vCPUs."""
    shared_pool_is_meant = view.goal(domain) not in (Goal.LATENCY, Goal.THROUGHPUT)
    seen = told(
        (name, sentence)
        for name, layer in layers(domain)
        if layer.vcpu_pins and (narrow_pins(layer) or not shared_pool_is_meant)
        for sentence in _competing(layer)
    )
    if not seen:
        return
    place = view.placement.guests[domain.uuid]
    present = CpuSet(cpu for _, layer in layers(domain) for cpu in layer.pinned)
    if place.emulator.isdisjoint(present):
        move = pins_alone(domain, emulator_wants(domain, place.emulator), place.reason)
    else:
        move = move_of(domain, view, ground(view))
    yield Seen(
        saw="; ".join(seen),
        wants=move.all_wants,
        safety=move.safety,
        costs=move.costs,
        by_hand=move.by_hand(("Free a CPU that no vCPU is pinned to, then:", *pins_by_hand(domain)[1:])),
        note=None if move.wants else place.reason,
    )


def _competing(layer: Configuration) -> Iterator[str]:
    cpus = layer.emulator_pin if layer.emulator_pin is not None else layer.vcpu_cpus
    if cpus is None:
        yield f"vCPUs are pinned to CPUs {layer.pinned}, and no cputune/emulatorpin keeps the emulator threads off them"
    elif both := cpus & layer.pinned:
        place = "cputune/emulatorpin" if layer.emulator_pin is not None else "vcpu/@cpuset, for want of an emulatorpin"
        yield f"the emulator threads may run on CPUs {cpus} ({place}), where vCPUs are pinned to CPUs {both}"
