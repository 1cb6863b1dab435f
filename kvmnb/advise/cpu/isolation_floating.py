"""Threads of the guest float over isolated CPUs.

What is seen
    A vCPU, the emulator or an iothread may run on several CPUs, and some of them are isolated (``isolcpus``, or an
    isolated cpuset). Read from the pins of both configurations and, of a running guest, from its threads. The
    configuration alone shows it.

Why it hurts
    The kernel does not balance load on isolated CPUs. Threads that share a mask of them stay where they were first
    put, often all on one CPU, while the others idle.

What to do
    Pin each vCPU to one isolated CPU of its own, and emulator and iothreads to one CPU or to CPUs that are not
    isolated. Or give up isolation and use a cpuset partition that balances.

Leave it when
    Never for vCPUs. A single iothread or emulator with little to do may stay.

Cost
    Pins change live. Durability: none. Migration: a host that it migrates to needs CPUs of the same numbers.
    Security: none.

Look by hand
    ``cat /sys/devices/system/cpu/isolated``; ``virsh vcpupin GUEST``; ``virsh emulatorpin GUEST``;
    ``grep Cpus_allowed_list /proc/PID/task/*/status``.

Measure it
    The last CPU of each thread in ``ps -L -o psr,comm -p PID`` and the load of each CPU: even once each has its own.

Sources
    * Linux documentation, CPU Isolation
    * Linux documentation, The kernel's command-line parameters (isolcpus)
    * libvirt knowledge base, KVM Real Time Guest Config
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import layers, pins_by_hand, told
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Configuration, Domain

RULE = Rule(
    id="cpu.isolation.floating",
    severity=Severity.CRITICAL,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: no balancing on isolated CPUs, so all vCPUs can end up sharing one",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all threads of a guest that float there."""
    isolated = view.host.isolated
    if not isolated:
        return
    masks = [(layer, *mask) for layer, config in layers(domain) for mask in _masks(config)]
    if domain.running and domain.running_state is not None:
        # Helpers of QEMU follow the emulator; one line for it is enough.
        threads = [thread for thread in domain.running_state.threads if thread.kind != "worker"]
        masks += [
            ("/proc/PID/task", f"{thread.kind} {thread.number}".replace("vcpu", "vCPU"), thread.allowed)
            for thread in threads
        ]
    seen = [
        (place, f"{name} may run on CPUs {cpus}, of which {cpus & isolated} are isolated")
        for place, name, cpus in masks
        if len(cpus) > 1 and not cpus.isdisjoint(isolated)
    ]
    if not seen:
        return
    yield Seen(
        saw="; ".join(told(seen)) + f" (isolated: {isolated}, /sys/devices/system/cpu/isolated)",
        safety=Safety.MANUAL,
        by_hand=pins_by_hand(domain),
        note="which CPU each thread is to have on isolated CPUs is for a person to say",
    )


def _masks(config: Configuration) -> Iterator[tuple[str, CpuSet]]:
    """The threads that the XML holds to CPUs, by name; libvirt itself keeps the others off isolated CPUs."""
    for vcpu in range(config.vcpus):
        if (cpus := config.pin_of(vcpu)) is not None:
            yield f"vCPU {vcpu}", cpus
    emulator = config.emulator_pin if config.emulator_pin is not None else config.vcpu_cpus
    if emulator is not None:
        yield "emulator 0", emulator
    for pin in config.iothread_pins:
        yield f"iothread {pin.iothread}", pin.cpus
