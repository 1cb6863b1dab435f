"""The running kernel: its version, its settings, and who else sets them."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysctl(Fact):
    """One setting below ``/proc/sys``."""

    key: str
    """Its name with dots, such as ``vm.swappiness``."""
    value: str | None
    """Its value as the kernel prints it, fields divided by one space; None where this kernel has none."""
    set_by: str | None
    """The file of ``sysctl.d`` that sets it at boot, without the leading slash; None where none does."""
    set_to: str | None
    """The value that this file gives; None where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Fact):
    """One parameter of a loaded or built-in module, from ``/sys/module/*/parameters``."""

    module: str
    """The module: ``kvm``, ``kvm_intel``, ``kvm_amd``, ``intel_idle``, ``haltpoll``, ``zswap``."""
    name: str
    """The parameter's name."""
    value: str | None
    """Its value as the kernel prints it; None where the kernel does not let it be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerability(Fact):
    """One CPU vulnerability, from ``/sys/devices/system/cpu/vulnerabilities``."""

    name: str
    """The kernel's name for it."""
    state: str
    """What the kernel says: ``Not affected``, ``Vulnerable...``, ``Mitigation: ...``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thp(Fact):
    """Transparent hugepages, from ``/sys/kernel/mm/transparent_hugepage``."""

    enabled: str
    """``always``, ``madvise`` or ``never``; ``enabled``."""
    defrag: str
    """``always``, ``defer``, ``defer+madvise``, ``madvise`` or ``never``; ``defrag``."""
    shmem: str | None
    """For shared memory (memfd guests); ``shmem_enabled``; None where the kernel has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ksm(Fact):
    """Merging of equal pages, from ``/sys/kernel/mm/ksm``; counts are pages."""

    run: int
    """0 stopped, 1 merging, 2 stopped and unmerged; ``run``."""
    merge_across_nodes: int | None
    """1 where pages of different nodes may be one; None without NUMA."""
    pages_shared: int
    """Pages that stand for several; ``pages_shared``."""
    pages_sharing: int
    """Mappings that were saved; ``pages_sharing``."""
    pages_unshared: int
    """Pages that are looked at again and again in vain; ``pages_unshared``."""
    pages_volatile: int
    """Pages that change too fast; ``pages_volatile``."""
    general_profit: int | None
    """Bytes saved less bytes spent; ``general_profit``; None before Linux 6.1."""
    advisor_mode: str | None
    """``none`` or ``scan-time``; ``advisor_mode``; None before Linux 6.8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure(Fact):
    """Stall time of one resource, in percent of the time, from ``/proc/pressure``."""

    resource: str
    """``cpu``, ``memory`` or ``io``."""
    some_avg10: float
    """Some task waited, mean of 10 seconds."""
    some_avg60: float
    """Some task waited, mean of 60 seconds."""
    full_avg10: float | None
    """All tasks waited, mean of 10 seconds; None where the kernel gives no such line."""
    full_avg60: float | None
    """All tasks waited, mean of 60 seconds; None where the kernel gives no such line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap(Fact):
    """One swap area, from ``/proc/swaps``."""

    device: str
    """The device or file."""
    kind: str
    """``partition`` or ``file``."""
    size_bytes: int
    """Its size."""
    used_bytes: int
    """The part in use."""
    zram: bool
    """Whether it is compressed memory and no disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner(Fact):
    """A service that sets knobs by itself: TuneD, irqbalance, ksmtuned, numad, NetworkManager."""

    name: str
    """The service's name."""
    installed: bool
    """Whether its unit or program is on this host."""
    running: bool | None
    """Whether it runs, by its process; None where processes cannot be seen."""
    profile: str | None
    """TuneD's active profile, ``/etc/tuned/active_profile``; None for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel(Fact):
    """The running kernel."""

    release: str
    """``/proc/sys/kernel/osrelease``."""
    command_line: tuple[str, ...]
    """The words it was booted with; ``/proc/cmdline``."""
    boot_id: str | None
    """The id of this boot; ``/proc/sys/kernel/random/boot_id``."""
    clocksource: str | None
    """``clocksource0/current_clocksource``."""
    clocksources: tuple[str, ...]
    """``clocksource0/available_clocksource``."""
    microcode: str | None
    """The microcode revision of CPU 0; ``/proc/cpuinfo``, microcode."""
    cpu_vendor: str | None
    """``/proc/cpuinfo``, vendor_id; None on architectures without one."""
    cpu_model: str | None
    """``/proc/cpuinfo``, model name."""
    cpu_flags: frozenset[str]
    """What the CPU can do; ``/proc/cpuinfo``, flags of CPU 0."""
    vulnerabilities: tuple[Vulnerability, ...]
    """By name."""
    parameters: tuple[Parameter, ...]
    """Of the modules that matter to guests, by module and name."""
    sysctls: tuple[Sysctl, ...]
    """Those that rules look at, by key."""
    thp: Thp | None
    """None where the kernel is built without them."""
    ksm: Ksm | None
    """None where the kernel is built without it."""
    memory_bytes: int
    """``/proc/meminfo``, MemTotal."""
    available_bytes: int | None
    """``/proc/meminfo``, MemAvailable; None before Linux 3.14."""
    swaps: tuple[Swap, ...]
    """Swap areas in use."""
    zswap: bool
    """Whether swapped pages are compressed in memory first; ``/sys/module/zswap/parameters/enabled``."""
    pressures: tuple[Pressure, ...]
    """Empty where the kernel keeps none."""
    kvm_device: bool
    """Whether ``/dev/kvm`` is there."""
    cgroup_version: int | None
    """2 or 1; None where no cgroup tree is mounted."""
    owners: tuple[Owner, ...]
    """Services that set knobs by themselves."""

    def sysctl(self, key: str) -> str | None:
        """The value of a setting; None where this kernel has none."""
        return next((one.value for one in self.sysctls if one.key == key), None)

    def parameter(self, module: str, name: str) -> str | None:
        """The value of a module's parameter; None where the module is not there or has none."""
        return next((one.value for one in self.parameters if (one.module, one.name) == (module, name)), None)
