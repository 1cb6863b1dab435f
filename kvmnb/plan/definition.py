"""What libvirt makes of a definition beside what stands in it: it takes it, and changes or drops some of it.

It says nothing about it, so that only the text that it gives back shows it. ``apply`` takes such a plan back; these
are the cases known beforehand, each tried with libvirt 9.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmnb.advise.net.wires import wires_of
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Configuration
from kvmnb.facts.gap import NotSeen
from kvmnb.plan.check import Check, Outcome
from kvmnb.plan.edited import EditedDomain


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One place that libvirt would not keep as it is written."""

    path: str
    """In the domain XML."""
    said: str
    """What becomes of it and why, as half a sentence."""


def definition(edited: EditedDomain) -> Check:
    """The check ``definition`` of one guest: whether libvirt would keep what the plan writes."""
    name = edited.domain.name
    try:
        after, before = list(rewritten(edited.after)), list(rewritten(edited.before))
    except NotSeen as unseen:
        return Check("definition", name, Outcome.UNKNOWN, f"This was not checked: {unseen}.")
    new = [one for one in after if one not in before]
    if new:
        said = f"libvirt would take this definition and keep it otherwise: {_words(new)}."
        return Check("definition", name, Outcome.STOPS, said)
    if after:
        said = f"libvirt keeps the edited XML otherwise, as it does the present one already: {_words(after)}."
        return Check("definition", name, Outcome.TOLD, said)
    return Check("definition", name, Outcome.PASSED, "The edited XML has nothing that libvirt is known to change.")


def rewritten(configuration: Configuration) -> Iterator[Rewritten]:
    """The places of a configuration that libvirt's QEMU driver is known not to keep."""
    if configuration.virt_type not in ("kvm", "qemu"):
        return
    yield from _memory(configuration)
    yield from _cpus(configuration)
    for wire in wires_of(configuration):
        queues = wire.interface.queues
        if queues is not None and not (wire.virtio and queues > 1):
            why = "one queue is the default" if wire.virtio else "only a virtio NIC has queues"
            yield Rewritten(wire.path("driver/@queues"), f"the number of queues of {wire.key} is dropped ({why})")


def _memory(configuration: Configuration) -> Iterator[Rewritten]:
    total = configuration.memory_taken_bytes
    if total != configuration.memory_bytes:
        said = f"memory becomes {format_bytes(total)}, the sum of the guest's NUMA cells and memory devices"
        yield Rewritten("memory", said)
    current = configuration.tuning.memory.current_bytes
    if current is not None and current > total:
        yield Rewritten("currentMemory", f"currentMemory becomes {format_bytes(total)}, all the memory there is")


def _cpus(configuration: Configuration) -> Iterator[Rewritten]:
    if configuration.vcpu_placement == "auto" and configuration.vcpu_cpus is not None:
        yield Rewritten(
            "vcpu/@cpuset", "the CPUs of vcpu are dropped, since numad is asked for them (placement='auto')"
        )
    for pin in configuration.vcpu_pins:
        if pin.vcpu >= configuration.vcpus:
            path = f"cputune/vcpupin[{pin.vcpu}]"
            yield Rewritten(path, f"the pin of vCPU {pin.vcpu} is dropped, since the guest has no such vCPU")
    cells = configuration.cpu.cells if configuration.cpu is not None else ()
    left = CpuSet(range(configuration.vcpus)) - union(cell.cpus for cell in cells)
    if cells and left:
        yield Rewritten("cpu/numa/cell[0]/@cpus", f"vCPUs {left}, which no NUMA cell of the guest names, join cell 0")


def _words(found: list[Rewritten]) -> str:
    return "; ".join(one.said for one in found)
