"""The limits, weights and features of a domain, in the words of its XML."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.text import switch, whole_number
from kvmnb.facts.at import REQUIRED, at
from kvmnb.facts.device import Timer
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTune(Fact):
    """Shares and quotas of ``cputune``; times in microseconds, a quota of -1 is no limit."""

    shares: int | None = at("shares", whole_number)
    """The weight of the guest's CPU time; None: the cgroup's default."""
    period: int | None = at("period", whole_number)
    """The time over which a vCPU's quota counts."""
    quota: int | None = at("quota", whole_number)
    """The time that each vCPU gets in a period."""
    global_period: int | None = at("global_period", whole_number)
    """The time over which the whole guest's quota counts."""
    global_quota: int | None = at("global_quota", whole_number)
    """The time that the whole guest gets."""
    emulator_period: int | None = at("emulator_period", whole_number)
    """The time over which the emulator's quota counts."""
    emulator_quota: int | None = at("emulator_quota", whole_number)
    """The time that the emulator threads get."""
    iothread_period: int | None = at("iothread_period", whole_number)
    """The time over which an iothread's quota counts."""
    iothread_quota: int | None = at("iothread_quota", whole_number)
    """The time that each iothread gets."""
    cache_tuned: bool = at("cachetune?")
    """Whether parts of the last-level cache are reserved."""
    memory_tuned: bool = at("memorytune?")
    """Whether memory bandwidth is limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VcpuSched(Fact):
    """One ``cputune/vcpusched``."""

    vcpus: CpuSet = at("@vcpus", CpuSet.parse, REQUIRED)
    """The vCPUs."""
    scheduler: str = at("@scheduler", absent=REQUIRED)
    """``fifo``, ``rr``, ``batch``, ``idle``."""
    priority: int | None = at("@priority", whole_number)
    """The real-time priority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Iothread(Fact):
    """One ``iothreadids/iothread``."""

    id: int = at("@id", whole_number, REQUIRED)
    """Its number."""
    poll_max_nanoseconds: int | None = at("poll/@max", whole_number)
    """How long it polls; None: QEMU's 32,768 ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperv(Fact):
    """One enlightenment below ``features/hyperv``."""

    name: str
    """Its element's name."""
    on: bool | None = at("@state", switch)
    """Whether it is on."""
    retries: int | None = at("@retries", whole_number)
    """Of ``spinlocks``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features(Fact):
    """``features``, as far as it matters to speed."""

    hyperv_mode: str | None = at("hyperv/@mode")
    """``custom``, ``passthrough`` or ``host-model``; None without Hyper-V enlightenments."""
    hint_dedicated: bool | None = at("kvm/hint-dedicated/@state", switch)
    """Whether the guest is told that its vCPUs are not shared."""
    poll_control: bool | None = at("kvm/poll-control/@state", switch)
    """Whether the guest may do its own halt polling."""
    pmu: bool | None = at("pmu/@state", switch)
    """Whether the guest has performance counters; None: the CPU mode's default."""
    pvspinlock: bool | None = at("pvspinlock/@state", switch)
    """Paravirtual spinlocks; None: the hypervisor's default."""
    ioapic: str | None = at("ioapic/@driver")
    """``kvm`` or ``qemu``; None: kvm."""
    acpi: bool = at("acpi?")
    """Whether the guest has ACPI."""
    smm: bool | None = at("smm/@state", switch)
    """System management mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTune(Fact):
    """Limits and backing of memory beyond hugepages; sizes in bytes."""

    current_bytes: int | None
    """``currentMemory``: what the balloon leaves the guest; None: all of it."""
    max_bytes: int | None
    """``maxMemory``: how far memory can be hot-plugged; None: not at all."""
    hard_limit_bytes: int | None
    """``memtune/hard_limit``: above it the kernel kills; None: no limit."""
    soft_limit_bytes: int | None
    """``memtune/soft_limit``."""
    swap_hard_limit_bytes: int | None
    """``memtune/swap_hard_limit``."""
    no_merging: bool = at("memoryBacking/nosharepages?")
    """Whether KSM leaves its pages alone; ``nosharepages``."""
    source: str | None = at("memoryBacking/source/@type")
    """``anonymous``, ``file`` or ``memfd``; None: anonymous."""
    access: str | None = at("memoryBacking/access/@mode")
    """``private`` or ``shared``; None: private."""
    allocation: str | None = at("memoryBacking/allocation/@mode")
    """``immediate`` or ``ondemand``; None: on demand."""
    allocation_threads: int | None = at("memoryBacking/allocation/@threads", whole_number)
    """Threads that allocate at start."""
    discard: bool = at("memoryBacking/discard?")
    """Whether the memory is dropped when the guest ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning(Fact):
    """All of one configuration that is neither CPU model, pin nor device."""

    cputune: CpuTune
    """Shares and quotas."""
    vcpu_schedulers: tuple[VcpuSched, ...]
    """``cputune/vcpusched``."""
    iothreads: tuple[Iothread, ...]
    """``iothreadids/iothread``."""
    features: Features
    """``features``."""
    hyperv: tuple[Hyperv, ...]
    """The Hyper-V enlightenments."""
    memory: MemoryTune
    """Limits and backing of memory."""
    clock_offset: str | None
    """``clock/@offset``: ``utc``, ``localtime``, ...; None: utc."""
    timers: tuple[Timer, ...]
    """``clock/timer``."""
    block_weight: int | None
    """``blkiotune/weight``; None: the cgroup's default."""
    resource_partition: str | None
    """``resource/partition``: the cgroup that it lies in; None: libvirt's own."""
    firmware: str | None
    """``os/@firmware``, or ``pflash`` where a loader says so; None: BIOS."""
    security_models: tuple[str, ...]
    """``seclabel/@model`` of each label."""
    qemu_arguments: bool
    """Whether the XML hands words straight to QEMU; ``qemu:commandline``."""
    metadata_namespaces: tuple[str, ...]
    """The XML namespaces in ``metadata``, which tell who made the guest."""
