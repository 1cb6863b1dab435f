"""One look at all threads and CPUs of a host: who there is, when it ran, how long it waited, where it was."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What takes a CPU."""

    GUEST = "guest"
    VHOST = "vhost worker"
    PROCESS = "process"
    KERNEL = "kernel thread"
    INTERRUPTS = "interrupts"
    HYPERVISOR = "hypervisor below"
    QUOTA = "own quota"
    UNKNOWN = "unknown"


class Party(NamedTuple):
    """One who takes CPU time: a guest and its vhost workers by UUID, others by their name."""

    kind: Kind
    name: str = ""


INTERRUPTS, HYPERVISOR, QUOTA, UNKNOWN = map(Party, (Kind.INTERRUPTS, Kind.HYPERVISOR, Kind.QUOTA, Kind.UNKNOWN))


class ThreadAt(NamedTuple):
    """One thread at one moment; seconds since it began."""

    party: Party
    run: float
    delay: float
    cpu: int
    """Where it ran last, or waits."""
    is_vcpu: bool = False
    throttled: float = 0.0
    """How long a quota of its own held it back."""


class CpuAt(NamedTuple):
    """One host CPU at one moment; seconds since boot."""

    busy: float
    interrupts: float
    steal: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at all threads and CPUs."""

    at: float
    """On the monotonic clock."""
    threads: Mapping[Hashable, ThreadAt]
    cpus: Mapping[int, CpuAt]
    held: Mapping[str, float] = field(default_factory=dict)
    """How long a quota of a guest as a whole held back its threads, by its UUID; added up over host CPUs."""
