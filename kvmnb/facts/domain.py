"""A domain: its two configurations, and where its threads may run."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.device import Devices
from kvmnb.facts.gap import Fact, Gap, NotSeen
from kvmnb.facts.image import DiskImage, Image
from kvmnb.facts.ownership import DomainOwner
from kvmnb.facts.running import ProcessMemory, Running
from kvmnb.facts.tuning import Tuning


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology(Fact):
    """The CPU topology that the guest is told, from ``cpu/topology``."""

    sockets: int
    """``@sockets``."""
    dies: int
    """``@dies``, 1 where absent."""
    clusters: int
    """``@clusters``, 1 where absent."""
    cores: int
    """``@cores``."""
    threads: int
    """``@threads``."""

    @property
    def vcpus(self) -> int:
        """How many vCPUs this topology holds; libvirt asks that it equals the maximum."""
        return self.sockets * self.dies * self.clusters * self.cores * self.threads


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaCell(Fact):
    """One guest NUMA cell, from ``cpu/numa/cell``."""

    id: int
    """``@id``, else its position."""
    cpus: CpuSet
    """The vCPUs of the cell; ``@cpus``, empty where absent."""
    memory_bytes: int
    """``@memory`` in ``@unit`` (KiB where absent), in bytes."""
    access: str | None
    """``@memAccess``: ``shared`` or ``private``; None: as ``memoryBacking``."""
    distances: tuple[tuple[int, int], ...]
    """Cell and distance of each ``distances/sibling``; empty: 10 within a cell, 20 between two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuModel(Fact):
    """The CPU that the guest sees, from ``cpu``."""

    mode: str | None
    """``custom``, ``host-model``, ``host-passthrough``, ``maximum``; None without the attribute."""
    model: str | None
    """``cpu/model``; None where absent."""
    migratable: str | None
    """``@migratable``; None where absent."""
    features: tuple[tuple[str, str], ...]
    """Name and policy of each ``cpu/feature``."""
    topology: Topology | None
    """None where the element is absent; libvirt then gives each vCPU its own socket."""
    cells: tuple[NumaCell, ...]
    """The guest NUMA cells; empty where there are none."""
    check: str | None
    """How libvirt compares the model with the host: ``none``, ``partial``, ``full``; None: by the mode."""
    cache_mode: str | None
    """``cache/@mode``: ``emulate``, ``passthrough``, ``disable``; None: by the CPU mode."""
    cache_level: int | None
    """``cache/@level``, 1 to 3; None: all levels."""
    address_mode: str | None
    """``maxphysaddr/@mode``: ``passthrough`` or ``emulate``; None: by the CPU mode."""
    address_bits: int | None
    """``maxphysaddr/@bits``, of ``emulate``; ``@limit`` is not read."""

    def feature(self, name: str) -> str | None:
        """The policy that the XML names for a CPU feature; None where it does not name it."""
        return next((policy for known, policy in self.features if known == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VcpuPin(Fact):
    """One ``cputune/vcpupin``."""

    vcpu: int
    """``@vcpu``; it may name a vCPU that the guest does not have."""
    cpus: CpuSet
    """``@cpuset``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IothreadPin(Fact):
    """One ``cputune/iothreadpin``."""

    iothread: int
    """``@iothread``."""
    cpus: CpuSet
    """``@cpuset``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNode(Fact):
    """One ``numatune/memnode``: the policy of one guest cell."""

    cell: int
    """``@cellid``."""
    mode: str
    """``strict``, ``preferred``, ``interleave`` or ``restrictive``."""
    nodes: CpuSet
    """The host nodes, ``@nodeset``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaTune(Fact):
    """Where the guest's memory may come from, from ``numatune``."""

    mode: str | None
    """``memory/@mode``, ``strict`` where absent; None without ``memory``."""
    nodes: CpuSet | None
    """The host nodes, ``memory/@nodeset``; None where absent."""
    placement: str | None
    """``memory/@placement``: ``static`` or ``auto``."""
    cells: tuple[MemoryNode, ...]
    """The policies of guest cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBacking(Fact):
    """What the guest's memory is made of, from ``memoryBacking``."""

    hugepages: bool
    """Whether ``hugepages`` is there."""
    page_sizes_bytes: tuple[int, ...]
    """The sizes asked for; empty means the host's default size."""
    locked: bool
    """Whether ``locked`` is there."""
    page_cells: tuple[tuple[int, CpuSet], ...]
    """The size in bytes and the guest cells of each ``page`` that has a ``@nodeset``; all cells without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration(Fact):
    """One of a domain's two configurations, from its XML."""

    virt_type: str
    """``kvm``, ``qemu``, ...; ``@type``."""
    arch: str | None
    """``os/type/@arch``."""
    machine: str | None
    """``os/type/@machine``."""
    os_id: str | None
    """libosinfo's word for the guest system, from ``metadata``; None where nobody wrote it."""
    hyperv: bool
    """Whether ``features/hyperv`` is there, a sign of a Windows guest."""
    vcpus: int
    """The most vCPUs that the guest may have; ``vcpu``."""
    vcpus_current: int
    """The vCPUs that it starts with; ``vcpu/@current``, else the maximum."""
    vcpu_cpus: CpuSet | None
    """The default CPUs of its threads; ``vcpu/@cpuset``; None means all."""
    vcpu_placement: str
    """``static`` or ``auto``; ``vcpu/@placement``."""
    memory_bytes: int
    """The memory that it starts with, hot-plugged modules included; ``memory``."""
    memory_modules_bytes: int
    """The part of it that memory devices hold; ``devices/memory/target/size``."""
    cpu: CpuModel | None
    """None without a ``cpu`` element; QEMU's default model then holds."""
    iothreads: int
    """``iothreads``, 0 where absent."""
    vcpu_pins: tuple[VcpuPin, ...]
    """All ``vcpupin``."""
    emulator_pin: CpuSet | None
    """``emulatorpin/@cpuset``; None where absent."""
    iothread_pins: tuple[IothreadPin, ...]
    """All ``iothreadpin``."""
    numatune: NumaTune | None
    """None where absent: memory comes from wherever a thread first touches it."""
    memory_backing: MemoryBacking
    """What its memory is made of."""
    devices: Devices
    """Its devices."""
    tuning: Tuning
    """Its limits, weights and features."""

    def pin_of(self, vcpu: int) -> CpuSet | None:
        """Where this vCPU may run: its pin, else the default set; None means all CPUs."""
        pin = next((pin.cpus for pin in self.vcpu_pins if pin.vcpu == vcpu), None)
        return self.vcpu_cpus if pin is None else pin

    @property
    def memory_taken_bytes(self) -> int:
        """What libvirt takes for its memory: NUMA cells and memory devices together, where it has cells."""
        cells = self.cpu.cells if self.cpu is not None else ()
        modules = self.memory_modules_bytes
        return sum(cell.memory_bytes for cell in cells) + modules if cells else self.memory_bytes

    @property
    def pinned(self) -> CpuSet:
        """The CPUs of all its vCPU pins."""
        return CpuSet(cpu for pin in self.vcpu_pins for cpu in pin.cpus)

    @property
    def dedicated(self) -> bool:
        """Whether every vCPU has a pin of its own, the sign that the guest is meant to have its CPUs."""
        return {pin.vcpu for pin in self.vcpu_pins} >= set(range(self.vcpus))

    @property
    def windows(self) -> bool:
        """Whether the guest is Windows: by libosinfo's word, else by enlightenments that only Windows uses."""
        return "microsoft" in self.os_id if self.os_id else self.hyperv


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Fact):
    """What libvirt keeps of a domain beside its XML."""

    name: str
    """``running``, ``blocked``, ``paused``, ``shutdown`` (going down), ``shutoff``, ``crashed``, ``pmsuspended``,
    ``nostate``; libvirt's constants."""
    reason: str | None
    """Why it is paused: ``user``, ``ioerror``, ``watchdog``, ``migration``, ...; None for other states and where
    libvirt names none."""
    autostart: bool
    """Whether it starts with the host."""
    managed_save: bool
    """Whether its next start goes on from a saved image, with the XML that is kept in that image."""
    snapshots: int
    """How many snapshots libvirt knows."""
    job: str | None
    """What is being done to it: ``migration_out``, ``backup``, ``snapshot``, ...; None: nothing."""
    updated: bool
    """Whether what runs was changed since its start (``virDomainIsUpdated``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain(Fact):
    """One domain that libvirt knows."""

    uuid: str
    """Its UUID."""
    name: str
    """Its name: hostile text, written by whoever made it."""
    running: bool
    """Whether it runs."""
    persistent: bool
    """Whether libvirt keeps it when it stops."""
    inactive: Configuration | None
    """What its next start reads; None for a transient domain."""
    live: Configuration | None
    """What runs; None while it is shut off."""
    state: State | None = None
    """What libvirt keeps beside its XML; None for a domain that was given as a file."""
    running_state: Running | None = None
    """Its process and threads on this host; None while it is shut off."""
    owners: tuple[DomainOwner, ...] = ()
    """The programs that manage it, as its XML tells; they may undo what is changed here."""
    cluster: DomainOwner | None = None
    """The cluster of this host that manages it; None where none does."""
    images: tuple[DiskImage, ...] = ()
    """The images of its disks that are files or block devices; empty where they were not asked for."""
    memory: ProcessMemory | None = None
    """Where its memory lies; None while it is shut off, and where that was not asked for."""

    def image_of(self, target: str) -> Image:
        """The image of one of its disks; NotSeen where it could not be read or was not asked for."""
        for disk in self.images:
            if disk.target == target:
                return disk.image
        raise NotSeen(Gap(f"domains[{self.name}].images[{target}]", "its image was not asked for"))

    @property
    def placed(self) -> ProcessMemory:
        """Where the memory of the running guest lies; NotSeen where that was not asked for."""
        if self.memory is None:
            raise NotSeen(Gap(f"domains[{self.name}].memory", "where its memory lies was not asked for"))
        return self.memory

    @property
    def wanted(self) -> Configuration:
        """The configuration that tuning is about: the persistent one, of a transient domain the live one."""
        chosen = self.inactive if self.inactive is not None else self.live
        assert chosen is not None, "a domain has at least one configuration"
        return chosen
