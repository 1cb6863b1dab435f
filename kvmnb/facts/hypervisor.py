"""What drives the guests, and what it can give them."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuMode(Fact):
    """One CPU mode that the hypervisor offers, from domain capabilities ``cpu/mode``."""

    name: str
    """``host-passthrough``, ``maximum``, ``host-model`` or ``custom``."""
    supported: bool
    """Whether a guest of this kind may use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestKind(Fact):
    """What one kind of guest may have here, from libvirt's domain capabilities."""

    virt_type: str
    """``kvm`` or ``qemu``."""
    arch: str
    """The guest's architecture."""
    machine: str
    """The machine type that was asked for."""
    cpu_modes: tuple[CpuMode, ...]
    """The CPU modes, offered or not."""
    max_vcpus: int | None
    """The most vCPUs that this machine type takes; ``vcpu/@max``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisor(Fact):
    """libvirt and the hypervisor that it drives."""

    uri: str
    """The connection's URI, or the recording's folder."""
    driver: str
    """libvirt's driver: QEMU, TEST."""
    libvirt: str
    """The version of the daemon's library."""
    version: str | None
    """The version of QEMU."""
    guest_kinds: tuple[GuestKind, ...]
    """One for each kind of guest that this host has."""
