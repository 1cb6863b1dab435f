"""A domain's devices, in the words of its XML."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.text import switch, whole_number
from kvmnb.facts.at import REQUIRED, at, sized
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
    model: str | None = at("@model")
    """``virtio``, ``virtio-transitional``, ``virtio-non-transitional``; None: the bus's own."""
    snapshot: str | None = at("@snapshot")
    """Whether a snapshot of the guest takes it in: ``internal``, ``external``, ``manual``, ``no``."""
    raw_io: bool | None = at("@rawio", switch)
    """Whether QEMU may send it raw SCSI commands; None: no."""
    scsi_passthrough: str | None = at("@sgio")
    """Which raw commands of the guest pass, of a ``lun``: ``filtered`` or ``unfiltered``; None: filtered."""
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
    """``none``, ``writeback``, ``writethrough``, ``directsync``, ``unsafe``, ``default``; None: QEMU's default,
    writeback."""
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
    ioeventfd: bool | None = at("driver/@ioeventfd", switch)
    """Whether a request leaves the vCPU free while QEMU handles it; None: on."""
    event_idx: bool | None = at("driver/@event_idx", switch)
    """Whether notifications are held back while the other side is busy; None: on."""
    copy_on_read: bool | None = at("driver/@copy_on_read", switch)
    """Whether what is read from the backing image is copied into the upper one; None: off."""
    read_error_policy: str | None = at("driver/@rerror_policy")
    """``stop``, ``report`` or ``ignore``; None: as ``error_policy``."""
    statistics: bool = at("driver/statistics?")
    """Whether latency is collected over intervals or as a histogram; libvirt 11.9 and later."""
    l2_cache_bytes: int | None = sized("driver/metadata_cache/max_size", "bytes")
    """The limit of qcow2's table cache, in bytes; None: QEMU's default."""
    encrypted: bool = at("encryption?")
    """Whether QEMU itself decrypts the image, by the older form of the XML."""
    source_encrypted: bool = at("source/encryption?")
    """Whether QEMU itself decrypts the image."""
    slices: bool = at("source/slices?")
    """Whether the guest sees only a part of the source."""
    mirrored: bool = at("mirror?")
    """Whether a block job copies it elsewhere now; of a running guest."""
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
    read_iops: int | None = at("iotune/read_iops_sec", whole_number)
    """The limit of reads a second."""
    write_iops: int | None = at("iotune/write_iops_sec", whole_number)
    """The limit of writes a second."""
    read_bytes_per_second: int | None = at("iotune/read_bytes_sec", whole_number)
    """The limit of bytes read a second."""
    write_bytes_per_second: int | None = at("iotune/write_bytes_sec", whole_number)
    """The limit of bytes written a second."""
    throttle_group: str | None = at("iotune/group_name")
    """The group of disks that share these limits; None: they are its own."""
    throttle_filters: bool = at("throttlefilters/throttlefilter?")
    """Whether it passes throttle groups of the domain; ``throttlefilters``, libvirt 11.2 and later."""
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
    queue_size: int | None = at("driver/@queue_size", whole_number)
    """Entries in a virtqueue; None: the machine type's default."""
    iothread: int | None = at("driver/@iothread", whole_number)
    """The iothread that serves it; None: the emulator's main loop."""
    iothreads_mapped: bool = at("driver/iothreads?")
    """Whether its queues are mapped over several iothreads; libvirt 11.2 and later."""
    ioeventfd: bool | None = at("driver/@ioeventfd", switch)
    """Whether a request leaves the vCPU free while QEMU handles it; None: on."""
    cmd_per_lun: int | None = at("driver/@cmd_per_lun", whole_number)
    """Commands that one LUN takes at once; None: 128."""
    max_sectors: int | None = at("driver/@max_sectors", whole_number)
    """The largest request, in sectors of 512 bytes; None: 65,535."""
    ports: int | None = at("@ports", whole_number)
    """How many devices it holds; None: libvirt's default."""


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
    managed: bool | None = at("@managed", switch)
    """Of ``hostdev``: whether libvirt takes the device from its host driver; None: no."""
    trust_guest_filters: bool | None = at("@trustGuestRxFilters", switch)
    """Whether the host takes over the guest's filters of addresses; None: no."""
    bridge: str | None = at("source/@bridge")
    """The host bridge that it joins."""
    network: str | None = at("source/@network")
    """The libvirt network that it joins."""
    lower: str | None = at("source/@dev")
    """The host device below a macvtap, or of a vDPA device."""
    mode: str | None = at("source/@mode")
    """Of a macvtap ``bridge``, ``vepa``, ``private``, ``passthrough``; of vhost-user ``client`` or ``server``."""
    pci_domain: int | None = at("source/address/@domain", whole_number)
    """Of ``hostdev``: the PCI domain on the host."""
    pci_bus: int | None = at("source/address/@bus", whole_number)
    """Of ``hostdev``: the PCI bus on the host."""
    pci_slot: int | None = at("source/address/@slot", whole_number)
    """Of ``hostdev``: the PCI slot on the host."""
    pci_function: int | None = at("source/address/@function", whole_number)
    """Of ``hostdev``: the PCI function on the host."""
    virtualport: str | None = at("virtualport/@type")
    """``openvswitch``, ``802.1Qbh``, ...; None for a plain bridge."""
    filter: str | None = at("filterref/@filter")
    """libvirt's network filter for it; None: none."""
    isolated: bool | None = at("port/@isolated", switch)
    """Whether it may not talk to other isolated ports of its bridge; None: no."""
    backend: str | None = at("backend/@type")
    """What carries a ``user`` or ``vhostuser`` interface: ``passt`` or ``default``; None: slirp for ``user``."""
    driver: str | None = at("driver/@name")
    """``vhost`` or ``qemu``, of ``hostdev`` ``vfio``; None: vhost where the host has it."""
    tx_mode: str | None = at("driver/@txmode")
    """``iothread`` or ``timer``, of QEMU's own backend; None: iothread."""
    ioeventfd: bool | None = at("driver/@ioeventfd", switch)
    """Whether sending leaves the vCPU free; None: on."""
    event_idx: bool | None = at("driver/@event_idx", switch)
    """Whether notifications are held back while the other side is busy; None: on."""
    packed: bool | None = at("driver/@packed", switch)
    """Packed virtqueues; None: off."""
    rss: bool | None = at("driver/@rss", switch)
    """Whether the device spreads flows over queues; None: off."""
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
    host_ecn: bool | None = at("driver/host/@ecn", switch)
    """Segments with congestion marks cut by the host; None: on."""
    host_ufo: bool | None = at("driver/host/@ufo", switch)
    """Fragments of UDP cut by the host; None: on."""
    guest_tso4: bool | None = at("driver/guest/@tso4", switch)
    """Whether the guest takes joined segments of TCP over IPv4; None: on."""
    guest_tso6: bool | None = at("driver/guest/@tso6", switch)
    """The same over IPv6; None: on."""
    guest_csum: bool | None = at("driver/guest/@csum", switch)
    """Whether the guest takes packets without checksums; None: on."""
    guest_ecn: bool | None = at("driver/guest/@ecn", switch)
    """Whether the guest takes joined segments with congestion marks; None: on."""
    guest_ufo: bool | None = at("driver/guest/@ufo", switch)
    """Whether the guest takes joined fragments of UDP; None: on."""
    coalesce_frames: int | None = at("coalesce/rx/frames/@max", whole_number)
    """Packets that the host's tap gathers before it sends them up; None: 0, none."""
    send_buffer_bytes: int | None = at("tune/sndbuf", whole_number)
    """How much the guest may have under way in the tap, in bytes; None: no limit."""
    mtu: int | None = at("mtu/@size", whole_number)
    """The MTU that the guest is told; None: it is not told."""
    link: str | None = at("link/@state")
    """``up`` or ``down``; None: up."""
    inbound_kib_per_second: int | None = at("bandwidth/inbound/@average", whole_number)
    """The limit towards the guest, in KiB a second."""
    inbound_peak_kib_per_second: int | None = at("bandwidth/inbound/@peak", whole_number)
    """How fast a burst towards the guest may be, in KiB a second."""
    inbound_floor_kib_per_second: int | None = at("bandwidth/inbound/@floor", whole_number)
    """What the guest is promised, in KiB a second."""
    outbound_kib_per_second: int | None = at("bandwidth/outbound/@average", whole_number)
    """The limit from the guest, in KiB a second."""
    outbound_peak_kib_per_second: int | None = at("bandwidth/outbound/@peak", whole_number)
    """How fast a burst from the guest may be, in KiB a second."""
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
    """``delay``, ``catchup``, ``merge``, ``discard``; None: the timer's default, mostly delay."""
    track: str | None = at("@track")
    """What it follows: ``boot``, ``guest``, ``wall``, ``realtime``."""
    mode: str | None = at("@mode")
    """Of ``tsc``: ``auto``, ``native``, ``emulate``, ``paravirt``, ``smpsafe``."""
    frequency_hz: int | None = at("@frequency", whole_number)
    """Of ``tsc``: the frequency that the guest is given, in Hz; None: the host's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Fact):
    """One ``devices/channel``."""

    type: str | None = at("@type")
    """``unix``, ``spicevmc``, ``pty``, ..."""
    name: str | None = at("target/@name")
    """``org.qemu.guest_agent.0`` is the guest agent's."""
    state: str | None = at("target/@state")
    """``connected`` or ``disconnected``, of a running guest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostdev(Fact):
    """One ``devices/hostdev``: a device of the host that the guest has."""

    type: str | None = at("@type")
    """``pci``, ``usb``, ``scsi``, ``mdev``."""
    mode: str | None = at("@mode")
    """``subsystem``, of containers ``capabilities``."""
    model: str | None = at("@model")
    """Of ``mdev``: ``vfio-pci``, ``vfio-ccw``, ``vfio-ap``; of ``scsi_host`` ``virtio`` and the like."""
    managed: bool | None = at("@managed", switch)
    """Whether libvirt takes it from its host driver and gives it back; None: no."""
    driver: str | None = at("driver/@name")
    """``vfio``, ``xen``; None: vfio."""
    vendor: int | None = at("source/vendor/@id", whole_number)
    """Of ``usb``: the vendor's number."""
    product: int | None = at("source/product/@id", whole_number)
    """Of ``usb``: the product's number."""
    teaming: str | None = at("teaming/@type")
    """``transient``: the half of a failover pair that is taken away for a migration."""
    domain: int | None = at("source/address/@domain", whole_number)
    """The PCI domain on the host."""
    bus: int | None = at("source/address/@bus", whole_number)
    """The PCI bus on the host; of ``usb`` and ``scsi`` the bus of that kind."""
    slot: int | None = at("source/address/@slot", whole_number)
    """The PCI slot on the host."""
    function: int | None = at("source/address/@function", whole_number)
    """The PCI function on the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDevice(Fact):
    """One ``devices/memory``."""

    model: str = at("@model", absent=REQUIRED)
    """``dimm``, ``nvdimm``, ``virtio-mem``, ``virtio-pmem``."""
    access: str | None = at("@access")
    """``shared`` or ``private``; None: as ``memoryBacking``."""
    discard: bool | None = at("@discard", switch)
    """Whether its content is dropped when it is taken out; None: as ``memoryBacking``."""
    size_bytes: int | None = sized("target/size")
    """Its size, in bytes; None: that of the file behind it."""
    node: int | None = at("target/node", whole_number)
    """The guest NUMA cell that it belongs to."""
    block_bytes: int | None = sized("target/block")
    """Of ``virtio-mem``: the step in which it grows, in bytes."""
    requested_bytes: int | None = sized("target/requested")
    """Of ``virtio-mem``: how much the guest is to have, in bytes."""
    current_bytes: int | None = sized("target/current")
    """Of ``virtio-mem``: how much the guest has, in bytes; of a running guest."""
    page_bytes: int | None = sized("source/pagesize")
    """The size of its hugepages, in bytes; None: as ``memoryBacking``."""
    nodes: CpuSet | None = at("source/nodemask", CpuSet.parse)  # noqa: RUF009
    """The host nodes that it is taken from; None: as ``numatune``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem(Fact):
    """One ``devices/filesystem``."""

    type: str | None = at("@type")
    """``mount``, ``template``, ``file``, ``block``, ``ram``, ``bind``; None: mount."""
    driver: str | None = at("driver/@type")
    """``virtiofs``, ``path`` (9p), ``loop``, ``nbd``, ...; None: path."""
    access_mode: str | None = at("@accessmode")
    """``passthrough``, ``mapped``, ``squash``; None: passthrough."""
    source: str | None = at("source/@dir")
    """The folder on the host."""
    target: str | None = at("target/@dir")
    """The tag by which the guest mounts it."""
    queue_size: int | None = at("driver/@queue", whole_number)
    """Entries in a virtqueue of virtiofs; None: 1024."""
    cache: str | None = at("binary/cache/@mode")
    """What virtiofsd lets the guest keep: ``none``, ``always``; None: its default, auto."""
    threads: int | None = at("binary/thread_pool/@size", whole_number)
    """Threads of virtiofsd; None: its default."""
    readonly: bool = at("readonly?")
    """Whether the guest may only read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Iommu(Fact):
    """``devices/iommu``: the IOMMU that the guest sees."""

    model: str = at("@model", absent=REQUIRED)
    """``intel``, ``smmuv3``, ``virtio``, ``amd``."""
    interrupt_remapping: bool | None = at("driver/@intremap", switch)
    """Whether it remaps interrupts, as more than 255 vCPUs need; None: QEMU's default."""
    extended_interrupts: bool | None = at("driver/@eim", switch)
    """Whether it takes APIC numbers of 32 bits; None: QEMU's default."""
    caching_mode: bool | None = at("driver/@caching_mode", switch)
    """Whether the guest tells of each new mapping, as passed-through devices need; None: off."""
    device_tlb: bool | None = at("driver/@iotlb", switch)
    """Whether devices keep translations, as vhost needs; None: off."""
    address_bits: int | None = at("driver/@aw_bits", whole_number)
    """The width of its addresses; None: QEMU's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Fact):
    """A device that rules only look for: input, graphics, video, sound, watchdog, rng, tpm, panic, vsock, shmem, ..."""

    kind: str
    """Its element's name."""
    type: str | None = at("@type")
    """``@type``."""
    model: str | None = at("@model")
    """``@model``."""
    bus: str | None = at("@bus")
    """``@bus``."""
    action: str | None = at("@action")
    """``@action``, of a watchdog: ``reset``, ``shutdown``, ``poweroff``, ``pause``, ``none``, ``dump``,
    ``inject-nmi``."""
    video: str | None = at("model/@type")
    """Of ``video``: ``virtio``, ``qxl``, ``vga``, ``bochs``, ``cirrus``, ``none``."""
    heads: int | None = at("model/@heads", whole_number)
    """Of ``video``: its screens."""
    accelerated: bool | None = at("model/acceleration/@accel3d", switch)
    """Of ``video``: whether the host's GPU draws; None: no."""
    backend: str | None = at("backend/@model")
    """Of ``rng``: ``random``, ``egd``, ``builtin``."""


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
    iommu: Iommu | None
    """``iommu``; None where the guest has none."""
    balloon: Balloon | None
    """``memballoon``; None where absent, which libvirt reads as a virtio balloon."""
    others: tuple[Other, ...]
    """All others, in the order of the XML."""

    def others_of(self, kind: str) -> tuple[Other, ...]:
        """The other devices of one kind."""
        return tuple(one for one in self.others if one.kind == kind)
