"""A host's device interrupts and the CPUs that they go to."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt(Fact):
    """One numbered interrupt line, from ``/proc/interrupts`` and ``/proc/irq/*``."""

    number: int
    """The kernel's number."""
    chip: str
    """The interrupt controller: ``IR-PCI-MSI``, ``IO-APIC``, ``GICv3``; ``/proc/interrupts``."""
    name: str
    """Who asked for it, more than one divided by commas; empty where nobody did; ``/proc/interrupts``."""
    affinity: CpuSet
    """The CPUs that it may go to; ``smp_affinity_list``."""
    effective_affinity: CpuSet | None
    """The CPUs that it does go to; None before Linux 4.15; ``effective_affinity_list``."""
