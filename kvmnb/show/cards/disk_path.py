"""The way of a guest's disks, layer by layer: from the device in the guest to the medium of the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kvmnb.advise.disk.change import DIRECT, bus_of
from kvmnb.advise.disk.scsi import controller_of
from kvmnb.core.units import format_bytes
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.image import Image
from kvmnb.facts.storage import BlockDevice, Location, Partition
from kvmnb.show import template, words

_EMULATED = {"ide": "IDE", "sata": "SATA", "fdc": "floppy", "usb": "USB", "sd": "SD card"}
_SCSI_OF_VIRTIO = ("virtio-scsi", "virtio-transitional", "virtio-non-transitional")
_CACHES = {
    "none": "not used; flushes of the guest are passed on",
    "writeback": "used; flushes of the guest are passed on",
    "writethrough": "used, and every write is flushed",
    "directsync": "not used, and every write is flushed",
    "unsafe": "used, and flushes of the guest are dropped",
}
_IO = {
    "native": "native: the kernel's asynchronous I/O",
    "threads": "threads: worker threads wait for each request",
    "io_uring": "io_uring: one ring shared with the kernel",
}
_DEFAULT_CACHE, _DEFAULT_IO = "writeback", "threads"
_EMPTY = "nothing is inserted"
_UNKNOWN = "not known here"
_TIMES = ("noatime", "relatime", "strictatime", "lazytime", "nodiratime")


@dataclass(frozen=True, slots=True)
class DiskPaths:
    """A guest, and the host that its disks lie on."""

    host: Host
    domain: Domain


@dataclass(frozen=True, slots=True)
class Cell:
    """One layer of one disk."""

    text: str
    later: str | None
    """What its next start reads, where that differs."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of all disks."""

    group: str
    label: str
    cells: tuple[Cell, ...]
    source: str


@dataclass(frozen=True, slots=True)
class _Way:
    """What a layer is asked of."""

    host: Host
    domain: Domain
    configuration: Configuration
    disk: Disk

    @property
    def path(self) -> str | None:
        return self.disk.file or self.disk.block

    @property
    def unplaced(self) -> str:
        """What stands for a layer below nothing, or below what is on no disk that is known."""
        return "–" if _place(self) == _EMPTY else _UNKNOWN

    @property
    def location(self) -> Location:
        return self.host.location_of(self.path) if self.path else Location(None, ())


def html(paths: DiskPaths) -> str:
    """The card."""
    return template.page(
        "disk_path", name=paths.domain.name, disks=[disk.target for disk in _disks(paths)], rows=rows(paths)
    )


def text(paths: DiskPaths) -> str:
    """A line for each disk."""
    lines = [f"Disks of guest {paths.domain.name}:"]
    layers = rows(paths)
    for number, disk in enumerate(_disks(paths)):
        told = {row.label: row.cells[number].text for row in layers}
        kept = (told[label] for label in _BRIEF)
        lines.append(f"{disk.target}: {' → '.join(kept)}")
    return "\n".join(lines) if len(lines) > 1 else f"Guest {paths.domain.name} has no disk."


def table(several: Sequence[DiskPaths]) -> str:
    """The disks of several guests as one table."""
    briefs = [(paths.domain.name, disk, _brief(paths, disk)) for paths in several for disk in _disks(paths)]
    return template.page("disk_paths", labels=_BRIEF, rows=[(name, one.target, said) for name, one, said in briefs])


def table_text(several: Sequence[DiskPaths]) -> str:
    """The table as lines."""
    return "\n".join(map(text, several))


def _brief(paths: DiskPaths, disk: Disk) -> list[str]:
    return [_cell(paths, disk, ask).text for _, label, ask, _ in _LAYERS if label in _BRIEF]


def rows(paths: DiskPaths) -> list[LayerRow]:
    """All layers from the top down; what runs, and beside it what the next start reads where that differs."""
    return [
        LayerRow(group, label, tuple(_cell(paths, disk, ask) for disk in _disks(paths)), source)
        for group, label, ask, source in _LAYERS
    ]


def _runs(paths: DiskPaths) -> Configuration:
    return paths.domain.live if paths.domain.live is not None else paths.domain.wanted


def _disks(paths: DiskPaths) -> Sequence[Disk]:
    return _runs(paths).devices.disks


def _cell(paths: DiskPaths, disk: Disk, ask: Callable[[_Way], str]) -> Cell:
    said = words.or_gap(lambda: ask(_Way(paths.host, paths.domain, _runs(paths), disk)))
    wanted = paths.domain.wanted
    then = next((one for one in wanted.devices.disks if one.target == disk.target), None)
    if wanted is _runs(paths):
        return Cell(said, None)
    later = (
        "the disk is gone" if then is None else words.or_gap(lambda: ask(_Way(paths.host, paths.domain, wanted, then)))
    )
    return Cell(said, None if later == said else later)


def _device(way: _Way) -> str:
    kinds = {"disk": "a disk", "cdrom": "a CD-ROM", "floppy": "a floppy", "lun": "a SCSI unit, passed through"}
    return kinds.get(way.disk.device, way.disk.device) + (", read only" if way.disk.readonly else "")


def _bus(way: _Way) -> str:
    bus = bus_of(way.disk)
    if bus == "virtio":
        return "virtio-blk"
    if bus == "scsi":
        controller = controller_of(way.disk, way.configuration)
        model = controller.model if controller is not None else None
        if model in _SCSI_OF_VIRTIO:
            return f"virtio-scsi, controller {controller.index or 0}" if controller is not None else "virtio-scsi"
        return f"SCSI, {f'an emulated {model}' if model else 'on the controller that QEMU chooses'}"
    return f"{_EMULATED.get(bus or '', bus or 'unknown')}, an emulated controller"


def _queues(way: _Way) -> str:
    bus = bus_of(way.disk)
    controller = controller_of(way.disk, way.configuration)
    if bus == "virtio":
        number = way.disk.queues
    elif controller is not None and controller.model in _SCSI_OF_VIRTIO:
        number = controller.queues
    else:
        return "no virtqueues: emulated"
    if number is None:
        return "as the machine type says; since pc-…-5.2 one for each vCPU"
    return words.plural(number, "queue")


def _thread(way: _Way) -> str:
    controller = controller_of(way.disk, way.configuration)
    mapped = way.disk.iothreads_mapped or (controller is not None and controller.iothreads_mapped)
    number = way.disk.iothread if controller is None else controller.iothread
    if mapped:
        return "several iothreads, queue by queue"
    return "QEMU's main loop" if number is None else f"iothread {number}"


def _limits(way: _Way) -> str:
    disk = way.disk
    numbers = (
        (disk.total_iops, "requests/s"),
        (disk.read_iops, "reads/s"),
        (disk.write_iops, "writes/s"),
    )
    told = [f"{number} {unit}" for number, unit in numbers if number]
    sizes = (
        (disk.total_bytes_per_second, "read or written"),
        (disk.read_bytes_per_second, "read"),
        (disk.write_bytes_per_second, "written"),
    )
    told += [f"{format_bytes(number)}/s {what}" for number, what in sizes if number]
    if disk.throttle_group:
        told.append(f"shared in the group {disk.throttle_group}")
    if not told and (disk.throttled or disk.throttle_filters):
        return "some, of a kind that is not shown here"
    return ", ".join(told) or "none"


def _cache(way: _Way) -> str:
    named = way.disk.cache if way.disk.cache != "default" else None
    meaning = _CACHES.get(named or _DEFAULT_CACHE, "unknown here")
    return f"{named or f'not named, so {_DEFAULT_CACHE}'}: {meaning}"


def _io(way: _Way) -> str:
    named = way.disk.io
    said = _IO.get(named or _DEFAULT_IO, named or "")
    if named == "native" and (way.disk.cache or _DEFAULT_CACHE) not in DIRECT:
        return f"{said}; refused with this cache mode"
    return said if named else f"not named, so {said}"


def _given_back(way: _Way) -> str:
    zeroes = way.disk.detect_zeroes or "off"
    discard = way.disk.discard or "not named, so ignore"
    return f"discard {discard}" + ("" if zeroes == "off" else f", detect_zeroes {zeroes}")


def _format(way: _Way) -> str:
    named = way.disk.format or "raw"
    try:
        chain = way.domain.image_of(way.disk.target).chain
    except NotSeen:
        # Only the XML of a running guest lists what lies below an image.
        same = (one for layer in (way.domain.live, way.domain.inactive) if layer for one in layer.devices.disks)
        below = max((one.backing_chain for one in same if one.target == way.disk.target), default=0)
        return f"{named}, {words.plural(below, 'image')} below it (XML)" if below else named
    return " → ".join(_image(image) for image in chain)


def _image(image: Image) -> str:
    taken = "" if image.actual_bytes is None else f", {format_bytes(image.actual_bytes)} taken"
    return f"{image.format} of {format_bytes(image.virtual_bytes)}{taken}"


def _place(way: _Way) -> str:
    if way.path:
        return way.path
    disk = way.disk
    if disk.protocol:
        return f"over the network, by {disk.protocol}"
    return f"volume {disk.volume} of pool {disk.pool}" if disk.volume else _EMPTY


def _file_system(way: _Way) -> str:
    mount = way.location.mount
    if mount is None:
        return "none: a block device" if way.location.devices else way.unplaced
    times = [option for option in mount.options if option in _TIMES]
    risky = [option for option in mount.options if option in ("nobarrier", "barrier=0")]
    told = f"{mount.fs_type} at {mount.mount_point}"
    return ", ".join([told, *times, *(f"{one}: flushes do not reach the disk" for one in risky)])


def _devices(way: _Way) -> str:
    return " → ".join(_block(one) for one in way.location.devices) or way.unplaced


def _block(one: BlockDevice | Partition) -> str:
    if isinstance(one, Partition):
        return one.name
    if one.slaves:
        return f"{one.dm_name or one.name} ({one.type})"
    return f"{one.name} ({medium(one)})"


def medium(one: BlockDevice) -> str:
    """What a device is, for people."""
    if one.transport == "nvme":
        return "NVMe"
    kind = "spinning disk" if one.rotational else "SSD"
    return f"{one.transport.upper()} {kind}" if one.transport in ("sata", "sas") else kind


def _scheduler(way: _Way) -> str:
    told = [f"{one.name}: {one.scheduler or 'none to choose'}" for one in way.location.disks]
    return ", ".join(told) or way.unplaced


def _own_cache(way: _Way) -> str:
    meanings = {"write back": "flushes empty it", "write through": "none that needs a flush"}
    told = [f"{one.name}: {meanings.get(one.write_cache or '', 'not told')}" for one in way.location.disks]
    return ", ".join(told) or way.unplaced


_BRIEF = ("Bus", "Served by", "Host page cache", "Format", "Scheduler")
_GUEST, _QEMU, _HOST = "What the guest sees", "What QEMU does", "Where it ends up on the host"
_LAYERS: tuple[tuple[str, str, Callable[[_Way], str], str], ...] = (
    (_GUEST, "Device", _device, "disk/@device"),
    (_GUEST, "Bus", _bus, "target/@bus, controller"),
    (_GUEST, "Queues", _queues, "driver/@queues"),
    (_QEMU, "Served by", _thread, "driver/@iothread"),
    (_QEMU, "Limits", _limits, "iotune"),
    (_QEMU, "Host page cache", _cache, "driver/@cache"),
    (_QEMU, "Asks the kernel by", _io, "driver/@io"),
    (_QEMU, "What the guest frees", _given_back, "driver/@discard, @detect_zeroes"),
    (_QEMU, "Format", _format, "driver/@type, backingStore; qemu-img info"),
    (_HOST, "Image", _place, "source"),
    (_HOST, "File system", _file_system, "/proc/self/mountinfo"),
    (_HOST, "Devices, downwards", _devices, "/sys/block/*/slaves"),
    (_HOST, "Scheduler", _scheduler, "/sys/block/*/queue/scheduler"),
    (_HOST, "The device's own cache", _own_cache, "/sys/block/*/queue/write_cache"),
)
