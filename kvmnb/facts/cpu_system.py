"""What holds for a host's CPUs together."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpuset(Fact):
    """One control group that narrows the CPUs or nodes of the tasks in it."""

    path: str
    """The group, as a path below the cgroup mount: ``machine.slice``."""
    cpus: CpuSet
    """The CPUs that its tasks may use; ``cpuset.cpus.effective``, under cgroup v1 ``cpuset.cpus``."""
    nodes: CpuSet
    """The nodes that its tasks may take memory from; ``cpuset.mems.effective``, under cgroup v1 ``cpuset.mems``."""
    partition: str | None
    """``member``, ``root`` or ``isolated``, perhaps ``invalid``; None under cgroup v1; ``cpuset.cpus.partition``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuSystem(Fact):
    """What holds for the CPUs together, from ``/sys/devices/system/cpu`` and the cpuset controller."""

    possible: CpuSet | None
    """CPUs that the kernel has room for; None on a kernel that tells none; ``possible``."""
    present: CpuSet | None
    """CPUs that are plugged in; None on a kernel that tells none; ``present``."""
    offline: CpuSet
    """CPUs that are plugged in and switched off; ``present`` without ``online``."""
    nohz_full: CpuSet
    """CPUs without a timer tick while one task runs; ``nohz_full``."""
    smt_control: str | None
    """``on``, ``off``, ``forceoff``, ``notsupported`` or ``notimplemented``; ``smt/control``.
    None on a kernel that tells none."""
    smt_active: bool | None
    """Whether two threads of one core are online anywhere; None on a kernel that tells none; ``smt/active``."""
    pstate: str | None
    """``active``, ``passive``, ``guided`` or ``off``; ``intel_pstate/status``, ``amd_pstate/status``.
    None without such a driver."""
    turbo: bool | None
    """Whether clocks above the base are allowed; ``intel_pstate/no_turbo``, ``cpufreq/boost``.
    None where no driver tells."""
    max_perf_percent: int | None
    """The cap on the P-state, in percent; None without intel_pstate; ``intel_pstate/max_perf_pct``."""
    min_perf_percent: int | None
    """The floor of the P-state, in percent; None without intel_pstate; ``intel_pstate/min_perf_pct``."""
    idle_driver: str | None
    """intel_idle, acpi_idle, haltpoll or none; None on a kernel that tells none; ``cpuidle/current_driver``."""
    idle_governor: str | None
    """menu, teo, ladder, haltpoll; None on a kernel that tells none; ``cpuidle/current_governor``."""
    allowed: CpuSet | None
    """The CPUs that the reading process may use; None where nothing tells; ``/proc/self/status``, else its cpuset."""
    cpusets: tuple[Cpuset, ...]
    """The slices and guests' groups with the cpuset controller; ``/sys/fs/cgroup``."""
