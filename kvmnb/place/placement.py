"""The answer of a placement: which host CPUs and nodes each guest gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPlace:
    """Where one guest belongs.

    A dedicated guest that fits has a CPU of its own for each vCPU; any other has only ``nodes``, and
    ``vcpus`` is empty.
    """

    vcpus: Mapping[int, int]
    """The host CPU of each vCPU; empty for a guest that is not to be pinned."""
    cpus: CpuSet
    """Where its vCPUs may run if it is not pinned: CPUs of its nodes that no other guest has for itself."""
    emulator: CpuSet
    """Where its emulator threads belong: housekeeping CPUs of its nodes; empty where there is none."""
    iothreads: Mapping[int, CpuSet]
    """Where each iothread belongs."""
    nodes: CpuSet
    """The host nodes of its CPUs and memory; empty where it has to span all."""
    reason: str
    """One sentence for the reader: why here, or why it is not pinned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The places of all guests, answered together."""

    housekeeping: CpuSet
    """CPUs that no dedicated vCPU gets: the host's own, for emulators, iothreads and interrupts."""
    guests: Mapping[str, GuestPlace]
    """By domain UUID."""
    fits: bool
    """Whether every dedicated guest got CPUs of its own."""
    reason: str
    """One sentence: how many vCPUs were asked and how many CPUs there are."""
