"""A host's logical CPUs: where they sit, what they share, how they are clocked."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Fact):
    """One cache as one CPU sees it, from ``cpu*/cache/index*``."""

    level: int
    """1, 2, 3; ``level``."""
    type: str
    """``data``, ``instruction`` or ``unified``; ``type``."""
    size_bytes: int | None
    """Its size in bytes; None where the firmware tells none; ``size``."""
    cpus: CpuSet
    """The CPUs online that share it; ``shared_cpu_list``, on old kernels ``shared_cpu_map``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency(Fact):
    """The frequency policy of one CPU, from ``cpufreq/policy*``, on old kernels ``cpu*/cpufreq``."""

    policy: int
    """The policy's number."""
    driver: str
    """``scaling_driver``: intel_pstate, intel_cpufreq, amd-pstate-epp, acpi-cpufreq, ...; one for all policies."""
    governor: str
    """``scaling_governor``; under an active p-state driver ``powersave`` is dynamic."""
    governors: tuple[str, ...]
    """``scaling_available_governors``; the same for all policies."""
    epp: str | None
    """``energy_performance_preference``; None where the driver has none."""
    epps: tuple[str, ...]
    """``energy_performance_available_preferences``; empty where the driver has none."""
    scaling_min_khz: int | None
    """The lowest clock that is allowed now, in kHz; None where the driver tells none; ``scaling_min_freq``."""
    scaling_max_khz: int
    """The highest clock that is allowed now, in kHz; ``scaling_max_freq``."""
    hardware_min_khz: int | None
    """The lowest clock that the CPU has, in kHz; None where the driver tells none; ``cpuinfo_min_freq``."""
    hardware_max_khz: int
    """The highest clock that the CPU has, in kHz; ``cpuinfo_max_freq``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleState(Fact):
    """One idle state of one CPU, from ``cpu*/cpuidle/state*``."""

    name: str
    """``name``: POLL, C1, C1E, C6, ...; alike for CPUs of one kind."""
    latency_us: int
    """How long leaving it takes, in µs; ``latency``; alike for CPUs of one kind."""
    disabled: bool | None
    """Whether the CPU may not enter it; None on a kernel without the switch; ``disable``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu(Fact):
    """One logical CPU, from ``/sys/devices/system/cpu/cpu*``."""

    id: int
    """The kernel's number."""
    online: bool
    """Whether the kernel schedules on it; ``/sys/devices/system/cpu/online``."""
    package: int | None
    """``topology/physical_package_id``; the place in the order of packages where the kernel's numbers do not tell them
    apart (-1 on several architectures); None for an offline CPU and where the kernel tells none."""
    package_cpus: CpuSet | None
    """The CPUs online of its package; None as above; ``topology/core_siblings_list``."""
    die: int | None
    """``topology/die_id``; None where the kernel or the CPU tells none."""
    cluster: int | None
    """``topology/cluster_id``; None where the kernel or the CPU tells none."""
    core: int | None
    """``topology/core_id``, unique only within its die; None for an offline CPU."""
    node: int | None
    """The host NUMA node that lists it; ``node*/cpulist``."""
    siblings: CpuSet
    """The hardware threads of its core that are online, itself included; ``topology/thread_siblings_list``."""
    core_type: str | None
    """``performance`` or ``efficiency`` on a hybrid package; ``/sys/devices/cpu_core``, ``cpu_atom``,
    ``cpu_lowpower``."""
    capacity: int | None
    """The scheduler's measure of a CPU of unequal speed, at most 1024; ``cpu_capacity``."""
    caches: tuple[Cache, ...]
    """Its caches, lowest level first."""
    frequency: Frequency | None
    """Its frequency policy; None where the system has no cpufreq, as in most virtual machines."""
    idle_states: tuple[IdleState, ...]
    """Its idle states, lightest first; empty where the system has no cpuidle, as in most virtual machines."""
