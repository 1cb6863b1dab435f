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
    """The time over which a vCPU's quota counts; None: 100,000."""
    quota: int | None = at("quota", whole_number)
    """The time that each vCPU gets in a period; None: no limit."""
    global_period: int | None = at("global_period", whole_number)
    """The time over which the whole guest's quota counts; None: 100,000."""
    global_quota: int | None = at("global_quota", whole_number)
    """The time that the whole guest gets; None: no limit."""
    emulator_period: int | None = at("emulator_period", whole_number)
    """The time over which the emulator's quota counts; None: 100,000."""
    emulator_quota: int | None = at("emulator_quota", whole_number)
    """The time that the emulator threads get; None: no limit."""
    iothread_period: int | None = at("iothread_period", whole_number)
    """The time over which an iothread's quota counts; None: 100,000."""
    iothread_quota: int | None = at("iothread_quota", whole_number)
    """The time that each iothread gets; None: no limit."""
    emulator_scheduler: str | None = at("emulatorsched/@scheduler")
    """``fifo``, ``rr``, ``batch``, ``idle``; None: the kernel's usual one."""
    emulator_priority: int | None = at("emulatorsched/@priority", whole_number)
    """The emulator's real-time priority, 1 to 99."""
    cache_tuned: bool = at("cachetune?")
    """Whether parts of the last-level cache are reserved or watched."""
    memory_tuned: bool = at("memorytune?")
    """Whether memory bandwidth is limited or watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VcpuSched(Fact):
    """One ``cputune/vcpusched``."""

    vcpus: CpuSet = at("@vcpus", CpuSet.parse, REQUIRED)  # noqa: RUF009
    """The vCPUs."""
    scheduler: str = at("@scheduler", absent=REQUIRED)
    """``fifo``, ``rr``, ``batch``, ``idle``."""
    priority: int | None = at("@priority", whole_number)
    """The real-time priority, 1 to 99; None where the scheduler has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IothreadSched(Fact):
    """One ``cputune/iothreadsched``."""

    iothreads: CpuSet = at("@iothreads", CpuSet.parse, REQUIRED)  # noqa: RUF009
    """The iothreads."""
    scheduler: str = at("@scheduler", absent=REQUIRED)
    """``fifo``, ``rr``, ``batch``, ``idle``."""
    priority: int | None = at("@priority", whole_number)
    """The real-time priority, 1 to 99; None where the scheduler has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Iothread(Fact):
    """One ``iothreadids/iothread``."""

    id: int = at("@id", whole_number, REQUIRED)
    """Its number."""
    pool_min: int | None = at("@thread_pool_min", whole_number)
    """The fewest worker threads that it keeps; None: 0."""
    pool_max: int | None = at("@thread_pool_max", whole_number)
    """The most worker threads that it starts; None: 64."""
    poll_max_nanoseconds: int | None = at("poll/@max", whole_number)
    """How long it polls; None: QEMU's 32,768 ns."""
    poll_grow: int | None = at("poll/@grow", whole_number)
    """The factor by which polling gets longer; None: 2."""
    poll_shrink: int | None = at("poll/@shrink", whole_number)
    """The divisor by which polling gets shorter; None: 0, at once to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperv(Fact):
    """One enlightenment below ``features/hyperv``."""

    name: str
    """Its element's name."""
    on: bool | None = at("@state", switch)
    """Whether it is on."""
    retries: int | None = at("@retries", whole_number)
    """Of ``spinlocks``: how often a vCPU tries before it yields."""
    direct: bool | None = at("direct/@state", switch)
    """Of ``stimer`` and ``tlbflush``: the form that needs no detour; None: off."""
    extended: bool | None = at("extended/@state", switch)
    """Of ``tlbflush``: ranges that need not be contiguous; None: off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Fact):
    """One element of ``features`` or of ``features/kvm``."""

    name: str
    """Its element's name; of a part of ``kvm`` with ``kvm/`` before it."""
    on: bool
    """Whether it is on: by its ``@state``, without one by being there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features(Fact):
    """``features``, as far as it matters to speed."""

    hyperv_mode: str | None = at("hyperv/@mode")
    """``custom``, ``passthrough`` or ``host-model``; None: custom, where ``hyperv`` is there at all."""
    hint_dedicated: bool | None = at("kvm/hint-dedicated/@state", switch)
    """Whether the guest is told that its vCPUs are not shared; None: it is not."""
    kvm_hidden: bool | None = at("kvm/hidden/@state", switch)
    """Whether the guest is kept from seeing KVM, and so from its paravirtual parts; None: it is not."""
    poll_control: bool | None = at("kvm/poll-control/@state", switch)
    """Whether the guest may do its own halt polling; None: it may not."""
    pv_ipi: bool | None = at("kvm/pv-ipi/@state", switch)
    """Whether the guest sends interrupts between vCPUs in one call; None: the CPU mode's default."""
    dirty_ring_size: int | None = at("kvm/dirty-ring/@size", whole_number)
    """Entries of the ring that tells changed pages to a migration; None: a bitmap is used."""
    pmu: bool | None = at("pmu/@state", switch)
    """Whether the guest has performance counters; None: the CPU mode's default."""
    pvspinlock: bool | None = at("pvspinlock/@state", switch)
    """Paravirtual spinlocks; None: the hypervisor's default."""
    ioapic: str | None = at("ioapic/@driver")
    """``kvm`` or ``qemu``; None: kvm."""
    gic: str | None = at("gic/@version")
    """The interrupt controller of an arm64 guest: ``2``, ``3``, ``host``; None: libvirt's choice."""
    acpi: bool = at("acpi?")
    """Whether the guest has ACPI."""
    smm: bool | None = at("smm/@state", switch)
    """System management mode; None: the hypervisor's default, or the bare element."""
    all: tuple[Switch, ...]
    """Every element of ``features``, those of ``kvm`` too, and what its state is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTune(Fact):
    """Limits and backing of memory beyond hugepages; sizes in bytes."""

    current_bytes: int | None
    """``currentMemory``: what the balloon leaves the guest; None: all of it."""
    max_bytes: int | None
    """``maxMemory``: how far memory can be hot-plugged; None: not at all."""
    slots: int | None = at("maxMemory/@slots", whole_number)
    """How many modules can be hot-plugged; None: none."""
    hard_limit_bytes: int | None
    """``memtune/hard_limit``: above it the kernel kills; None: no limit."""
    soft_limit_bytes: int | None
    """``memtune/soft_limit``; None: no limit."""
    swap_hard_limit_bytes: int | None
    """``memtune/swap_hard_limit``; None: no limit."""
    no_merging: bool = at("memoryBacking/nosharepages?")
    """Whether KSM leaves its pages alone; ``nosharepages``."""
    source: str | None = at("memoryBacking/source/@type")
    """``anonymous``, ``file`` or ``memfd``; None: anonymous."""
    access: str | None = at("memoryBacking/access/@mode")
    """``private`` or ``shared``; None: private."""
    allocation: str | None = at("memoryBacking/allocation/@mode")
    """``immediate`` or ``ondemand``; None: on demand."""
    allocation_threads: int | None = at("memoryBacking/allocation/@threads", whole_number)
    """Threads that allocate at start; None: one."""
    discard: bool = at("memoryBacking/discard?")
    """Whether the memory is dropped when the guest ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTune(Fact):
    """``blkiotune``: the guest's weight and limits on the host's block devices."""

    weight: int | None = at("weight", whole_number)
    """The guest's weight, 10 to 1000; None: the cgroup's default."""
    devices: int
    """How many host devices have weights or limits of their own; ``device``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot(Fact):
    """``os``: how the guest starts."""

    firmware: str | None = at("@firmware")
    """``efi`` or ``bios``, where libvirt is to choose the loader; None: ``loader`` decides."""
    loader: str | None = at("loader/@type")
    """``pflash`` (UEFI) or ``rom``; None: the machine type's firmware."""
    secure: bool | None = at("loader/@secure", switch)
    """Whether the loader asks for secure boot, which needs SMM; None: no."""
    order: tuple[str, ...]
    """``boot/@dev`` in their order: ``hd``, ``cdrom``, ``network``; empty where devices say it themselves."""
    direct_kernel: bool = at("kernel?")
    """Whether the host gives it its kernel."""
    smbios: str | None = at("smbios/@mode")
    """Whose tables it is shown: ``emulate``, ``host``, ``sysinfo``; None: emulate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning(Fact):
    """All of one configuration that is neither CPU model, pin nor device."""

    cputune: CpuTune
    """Shares and quotas."""
    vcpu_schedulers: tuple[VcpuSched, ...]
    """``cputune/vcpusched``."""
    iothread_schedulers: tuple[IothreadSched, ...]
    """``cputune/iothreadsched``."""
    iothreads: tuple[Iothread, ...]
    """``iothreadids/iothread``."""
    features: Features
    """``features``."""
    hyperv: tuple[Hyperv, ...]
    """The Hyper-V enlightenments."""
    memory: MemoryTune
    """Limits and backing of memory."""
    clock_offset: str | None = at("clock/@offset")
    """``utc``, ``localtime``, ``timezone``, ``variable``, ``absolute``; None: utc."""
    timers: tuple[Timer, ...]
    """``clock/timer``."""
    blkio: BlockTune
    """``blkiotune``."""
    block_weight: int | None
    """``blkiotune/weight``; None: the cgroup's default."""
    throttle_groups: tuple[str, ...]
    """The names of ``throttlegroups``, hostile text; libvirt 11.2 and later."""
    resource_partition: str | None = at("resource/partition")
    """``resource/partition``: the cgroup that it lies in; None: libvirt's own."""
    boot: Boot
    """``os``."""
    firmware: str | None
    """``os/@firmware``, or ``pflash`` where a loader says so; None: BIOS."""
    security_models: tuple[str, ...]
    """``seclabel/@model`` of each label."""
    launch_security: str | None = at("launchSecurity/@type")
    """``sev``, ``sev-snp``, ``tdx``, ``s390-pv``: memory that the host cannot read; None: none."""
    perf_events: tuple[str, ...]
    """The events of ``perf/event`` that are switched on."""
    qemu_arguments: bool = at("{http://libvirt.org/schemas/domain/qemu/1.0}commandline?")
    """Whether the XML hands words straight to QEMU; ``qemu:commandline``."""
    qemu_overrides: bool = at("{http://libvirt.org/schemas/domain/qemu/1.0}override?")
    """Whether the XML overrides properties of QEMU's devices; ``qemu:override``."""
    metadata_namespaces: tuple[str, ...]
    """The XML namespaces in ``metadata``, which tell who made the guest."""
    description: str | None = at("description")
    """What someone wrote about it: hostile text."""
    product: str | None
    """The product that it is shown in its SMBIOS tables: hostile text; ``sysinfo/system/entry``."""

    def feature(self, name: str) -> bool | None:
        """Whether this feature is on (``kvm/NAME`` for those of KVM); None where the XML does not name it."""
        return next((one.on for one in self.features.all if one.name == name), None)

    def enlightenment(self, name: str) -> bool | None:
        """Whether this Hyper-V enlightenment is on; None where the XML does not name it."""
        return next((one.on for one in self.hyperv if one.name == name), None)
