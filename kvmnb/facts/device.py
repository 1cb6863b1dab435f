"""A domain's devices, in the words of its XML."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.text import switch, whole_number
from kvmnb.facts.at import REQUIRED, at
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk(Fact):
    """One ``devices/disk``."""

    target: str = at("target/@dev", absent=REQUIRED)
    """The name that tells it from the guest's other disks, such as ``vda``."""
    device: str = at("@device", absent="disk")
    """``disk``, ``cdrom``, ``floppy`` or ``lun``."""
    type: str = at("@type", absent="file")
    """What backs it: ``file``, ``block``, ``network``, ``volume``, ``nvme``, ``vhostuser``, ``dir``."""
    bus: str | None = at("target/@bus")
    """``virtio``, ``scsi``, ``sata``, ``ide``, ``usb``, ``fdc``, ``sd``; None: libvirt guesses from the target."""
    file: str | None = at("source/@file")
    """The image's path."""
    block: str | None = at("source/@dev")
    """The block device's path."""
    protocol: str | None = at("source/@protocol")
    """``rbd``, ``iscsi``, ``nbd``, ...: of a network disk."""
    pool: str | None = at("source/@pool")
    """The storage pool of a volume."""
    volume: str | None = at("source/@volume")
    """The volume's name in its pool."""
    format: str | None = at("driver/@type")
    """``raw``, ``qcow2``, ...; None: raw."""
    cache: str | None = at("driver/@cache")
    """``none``, ``writeback``, ``writethrough``, ``directsync``, ``unsafe``, ``default``; None: QEMU's default, writeback."""
    io: str | None = at("driver/@io")
    """``native``, ``threads``, ``io_uring``; None: threads."""
    discard: str | None = at("driver/@discard")
    """``unmap`` or ``ignore``; None: ignore."""
    detect_zeroes: str | None = at("driver/@detect_zeroes")
    """``off``, ``on`` or ``unmap``; None: off."""
    error_policy: str | None = at("driver/@error_policy")
    """``stop``, ``report``, ``ignore``, ``enospace``; None: enospace for writes."""
    iothread: int | None = at("driver/@iothread", whole_number)
    """The iothread that serves it; None: the emulator's main loop."""
    iothreads_mapped: bool = at("driver/iothreads?")
    """Whether its queues are mapped over several iothreads."""
    queues: int | None = at("driver/@queues", whole_number)
    """Virtqueues; None: the machine type's default."""
    queue_size: int | None = at("driver/@queue_size", whole_number)
    """Entries in a virtqueue; None: the machine type's default."""
    packed: bool | None = at("driver/@packed", switch)
    """Packed virtqueues."""
    l2_cache_bytes: int | None = at("driver/metadata_cache/max_size", whole_number)
    """The limit of qcow2's table cache, in bytes; None: QEMU's default."""
    readonly: bool = at("readonly?")
    """Whether the guest may only read it."""
    shareable: bool = at("shareable?")
    """Whether several guests may write it."""
    transient: bool = at("transient?")
    """Whether what the guest writes is dropped when it ends."""
    logical_block_bytes: int | None = at("blockio/@logical_block_size", whole_number)
    """The sector size that the guest sees."""
    physical_block_bytes: int | None = at("blockio/@physical_block_size", whole_number)
    """The physical sector size that the guest sees."""
    throttled: bool = at("iotune/*?")
    """Whether libvirt limits its speed; ``iotune``."""
    total_iops: int | None = at("iotune/total_iops_sec", whole_number)
    """The limit of requests a second."""
    total_bytes_per_second: int | None = at("iotune/total_bytes_sec", whole_number)
    """The limit of bytes a second."""
    reservations: bool = at("source/reservations?")
    """Whether SCSI reservations are passed through."""
    boot_order: int | None = at("boot/@order", whole_number)
    """Its place in the boot order."""
    controller: int | None = at("address/@controller", whole_number)
    """The controller that it hangs on; of IDE, SATA and SCSI disks."""
    backing_chain: int = at("backingStore/**", whole_number, 0)
    """How many images lie below its own, as far as the XML tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller(Fact):
    """One ``devices/controller``."""

    type: str = at("@type", absent=REQUIRED)
    """``scsi``, ``virtio-serial``, ``usb``, ``pci``, ``ide``, ``sata``."""
    index: int | None = at("@index", whole_number)
    """Its number among those of its type."""
    model: str | None = at("@model")
    """``virtio-scsi``, ``lsilogic``, ``pcie-root-port``, ...; None: libvirt's default."""
    queues: int | None = at("driver/@queues", whole_number)
    """Virtqueues; None: the machine type's default."""
    iothread: int | None = at("driver/@iothread", whole_number)
    """The iothread that serves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface(Fact):
    """One ``devices/interface``."""

    type: str = at("@type", absent=REQUIRED)
    """``bridge``, ``network``, ``direct``, ``hostdev``, ``user``, ``vhostuser``, ``ethernet``, ``vdpa``."""
    mac: str | None = at("mac/@address")
    """Its hardware address."""
    target: str | None = at("target/@dev")
    """The host's device for it, such as ``vnet0``; None while the guest is off."""
    model: str | None = at("model/@type")
    """``virtio``, ``e1000``, ``e1000e``, ``rtl8139``, ...; None: the machine type's default."""
    bridge: str | None = at("source/@bridge")
    """The host bridge that it joins."""
    network: str | None = at("source/@network")
    """The libvirt network that it joins."""
    lower: str | None = at("source/@dev")
    """The host device below a macvtap."""
    mode: str | None = at("source/@mode")
    """The mode of a macvtap: ``bridge``, ``vepa``, ``private``, ``passthrough``."""
    virtualport: str | None = at("virtualport/@type")
    """``openvswitch``, ``802.1Qbh``, ...; None for a plain bridge."""
    driver: str | None = at("driver/@name")
    """``vhost`` or ``qemu``; None: vhost where the host has it."""
    queues: int | None = at("driver/@queues", whole_number)
    """Queue pairs; None: one."""
    rx_queue_size: int | None = at("driver/@rx_queue_size", whole_number)
    """Entries of the receive ring; None: 256."""
    tx_queue_size: int | None = at("driver/@tx_queue_size", whole_number)
    """Entries of the transmit ring; None: 256."""
    host_tso4: bool | None = at("driver/host/@tso4", switch)
    """Whether the guest may send segments of TCP over IPv4 to be cut by the host; None: on."""
    host_tso6: bool | None = at("driver/host/@tso6", switch)
    """The same over IPv6; None: on."""
    host_gso: bool | None = at("driver/host/@gso", switch)
    """Generic segmentation by the host; None: on."""
    host_csum: bool | None = at("driver/host/@csum", switch)
    """Checksums by the host; None: on."""
    host_mrg_rxbuf: bool | None = at("driver/host/@mrg_rxbuf", switch)
    """Mergeable receive buffers; None: on."""
    guest_tso4: bool | None = at("driver/guest/@tso4", switch)
    """Whether the guest takes joined segments of TCP over IPv4; None: on."""
    guest_tso6: bool | None = at("driver/guest/@tso6", switch)
    """The same over IPv6; None: on."""
    guest_csum: bool | None = at("driver/guest/@csum", switch)
    """Whether the guest takes packets without checksums; None: on."""
    mtu: int | None = at("mtu/@size", whole_number)
    """The MTU that the guest is told; None: it is not told."""
    link: str | None = at("link/@state")
    """``up`` or ``down``; None: up."""
    inbound_kib_per_second: int | None = at("bandwidth/inbound/@average", whole_number)
    """The limit towards the guest, in KiB a second."""
    outbound_kib_per_second: int | None = at("bandwidth/outbound/@average", whole_number)
    """The limit from the guest, in KiB a second."""
    teaming: str | None = at("teaming/@type")
    """``persistent`` or ``transient`` half of a failover pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balloon(Fact):
    """``devices/memballoon``."""

    model: str = at("@model", absent=REQUIRED)
    """``virtio``, ``virtio-transitional``, ``none``, ..."""
    stats_period_seconds: int | None = at("stats/@period", whole_number)
    """How often the guest reports its memory; None or 0: never."""
    autodeflate: bool | None = at("@autodeflate", switch)
    """Whether the guest gets memory back before it kills a process; None: off."""
    free_page_reporting: bool | None = at("@freePageReporting", switch)
    """Whether the guest reports free pages to the host; None: off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer(Fact):
    """One ``clock/timer``."""

    name: str = at("@name", absent=REQUIRED)
    """``rtc``, ``pit``, ``hpet``, ``kvmclock``, ``hypervclock``, ``tsc``, ..."""
    present: bool | None = at("@present", switch)
    """Whether the guest has it; None: the hypervisor's default."""
    tickpolicy: str | None = at("@tickpolicy")
    """``delay``, ``catchup``, ``merge``, ``discard``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Fact):
    """One ``devices/channel``."""

    name: str | None = at("target/@name")
    """``org.qemu.guest_agent.0`` is the guest agent's."""
    state: str | None = at("target/@state")
    """``connected`` or ``disconnected``, of a running guest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostdev(Fact):
    """One ``devices/hostdev``: a device of the host that the guest has."""

    type: str | None = at("@type")
    """``pci``, ``usb``, ``scsi``, ``mdev``."""
    managed: bool | None = at("@managed", switch)
    """Whether libvirt takes it from its host driver and gives it back."""
    domain: int | None = at("source/address/@domain", whole_number)
    """The PCI domain on the host."""
    bus: int | None = at("source/address/@bus", whole_number)
    """The PCI bus on the host."""
    slot: int | None = at("source/address/@slot", whole_number)
    """The PCI slot on the host."""
    function: int | None = at("source/address/@function", whole_number)
    """The PCI function on the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDevice(Fact):
    """One ``devices/memory``."""

    model: str = at("@model", absent=REQUIRED)
    """``dimm``, ``nvdimm``, ``virtio-mem``, ``virtio-pmem``."""
    node: int | None = at("target/node", whole_number)
    """The guest NUMA cell that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem(Fact):
    """One ``devices/filesystem``."""

    driver: str | None = at("driver/@type")
    """``virtiofs``, ``path``, ..."""
    access_mode: str | None = at("@accessmode")
    """``passthrough``, ``mapped``, ``squash``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Fact):
    """A device that rules only count: input, graphics, video, sound, watchdog, iommu, rng, tpm, panic, vsock."""

    kind: str
    """Its element's name."""
    type: str | None = at("@type")
    """``@type``."""
    model: str | None = at("@model")
    """``@model``."""
    bus: str | None = at("@bus")
    """``@bus``."""
    action: str | None = at("@action")
    """``@action``, of a watchdog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices(Fact):
    """All devices of one configuration."""

    disks: tuple[Disk, ...]
    """``disk``."""
    controllers: tuple[Controller, ...]
    """``controller``."""
    interfaces: tuple[Interface, ...]
    """``interface``."""
    channels: tuple[Channel, ...]
    """``channel``."""
    hostdevs: tuple[Hostdev, ...]
    """``hostdev``."""
    memory: tuple[MemoryDevice, ...]
    """``memory``."""
    filesystems: tuple[Filesystem, ...]
    """``filesystem``."""
    balloon: Balloon | None
    """``memballoon``; None where absent, which libvirt reads as a virtio balloon."""
    others: tuple[Other, ...]
    """All others."""

    def others_of(self, kind: str) -> tuple[Other, ...]:
        """The other devices of one kind."""
        return tuple(one for one in self.others if one.kind == kind)
