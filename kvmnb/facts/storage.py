"""A host's block devices, its mounts, and what a path lies on."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition(Fact):
    """One partition, from ``/sys/block/DEVICE/PARTITION``."""

    name: str
    """The kernel's name: ``sda1``."""
    number: str | None
    """Major and minor number, ``8:1``; None where a recording has none; ``dev``."""
    start_bytes: int
    """Where it begins on its device, in bytes; ``start``."""
    size_bytes: int
    """Its size in bytes; ``size``."""
    holders: tuple[str, ...]
    """The devices that are built on it; ``holders``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice(Fact):
    """One block device, from ``/sys/block/DEVICE``; a file named without a folder stands in ``queue``."""

    name: str
    """The kernel's name: ``nvme0n1``, ``sda``, ``dm-0``."""
    number: str | None
    """Major and minor number, ``259:0``; None where a recording has none; ``../dev``."""
    type: str
    """``disk``, ``rom``, ``loop``, ``zram``, ``lvm``, ``mpath``, ``crypt``, ``part``, ``dm``, ``raid1``, ``md``, ...

    lsblk's words where it has one. The device mapper's from ``../dm/uuid``, ``dm`` where that tells none;
    md's from ``../md/level``. ``path`` is one way of several to an NVMe disk, which the kernel hides behind
    the disk (``nvme0c0n1``).
    """
    transport: str | None
    """``nvme``, ``nvme-tcp``, ``sata``, ``sas``, ``fc``, ``iscsi``, ``usb``, ``virtio``, ``mmc``, ...

    None where the device is made of others, or nothing tells. From where ``/sys/class/block/DEVICE`` links to.
    """
    model: str | None
    """What the device calls itself; ``../device/model``."""
    numa_node: int | None
    """The node that it is plugged into; None where nothing says; ``../device/numa_node`` or its PCI device's."""
    irqs: tuple[int, ...] | None
    """The interrupts of its PCI device, which all disks of one adapter share; None where no PCI device is known."""
    size_bytes: int
    """Its size in bytes; ``../size`` counts sectors of 512 bytes."""
    ro: bool
    """Whether it takes no writes; ``../ro``."""
    removable: bool
    """Whether its medium can be taken out; ``../removable``."""
    rotational: bool
    """Whether the kernel takes it for a spinning disk; ``rotational``."""
    scheduler: str | None
    """The I/O scheduler in use; None where the device has none to choose (dm, md); ``scheduler``."""
    schedulers: tuple[str, ...]
    """The I/O schedulers that the running kernel offers for it; ``scheduler``."""
    nr_requests: int | None
    """Requests that the block layer allocates for each queue; None where it queues none itself."""
    queue_depth: int | None
    """Commands that the device takes at once; None where it is no SCSI device; ``../device/queue_depth``."""
    hardware_queues: int | None
    """Its hardware queues; None where it has no request queue of its own; folders of ``../mq``."""
    read_ahead_kb: int
    """The most that the page cache reads ahead, in KiB."""
    write_cache: str | None
    """``write back`` (the kernel sends flushes) or ``write through`` (it sends none); None before Linux 4.7."""
    fua: bool | None
    """Whether a write can be told to reach the medium by itself; None on kernels that do not say."""
    discard_max_bytes: int | None
    """The largest discard, in bytes; 0 where it takes none."""
    discard_granularity_bytes: int | None
    """The smallest part that a discard frees, in bytes."""
    nomerges: int | None
    """0 merges requests, 1 tries only the simple merges, 2 tries none."""
    rq_affinity: int | None
    """Where a request completes: 0 anywhere, 1 on the submitter's group of CPUs, 2 on its very CPU."""
    zoned: str | None
    """``none``, ``host-aware`` or ``host-managed``; None on kernels that do not say."""
    logical_block_bytes: int
    """The smallest part that can be addressed, in bytes; ``logical_block_size``."""
    physical_block_bytes: int
    """The smallest part that is written without reading it first, in bytes; ``physical_block_size``."""
    optimal_io_bytes: int | None
    """The size of request that suits it best, in bytes; 0 where it does not say; ``optimal_io_size``."""
    dm_name: str | None
    """The device mapper's name, of a logical volume its group and its own; None for others; ``../dm/name``."""
    slaves: tuple[str, ...]
    """The devices and partitions that it is built on; ``../slaves``, of an NVMe disk its hidden paths."""
    holders: tuple[str, ...]
    """The devices that are built on it as a whole; ``../holders``."""
    partitions: tuple[Partition, ...]
    """Its partitions, in the order of their starts."""

    @property
    def thin_pool(self) -> bool:
        """Whether it is the data of an LVM thin pool; LVM names these so."""
        return self.dm_name is not None and self.dm_name.endswith("-tpool")

    @property
    def stacked(self) -> bool:
        """Whether other devices do its work, so that tuning belongs to those."""
        return bool(self.slaves)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinPool(Fact):
    """One thin pool of the device mapper, from ``dmsetup status``; both shares are of its own blocks."""

    name: str
    """The device mapper's name: ``vg-pool-tpool``."""
    used_ratio: float
    """The share of its data blocks that is taken."""
    metadata_used_ratio: float
    """The share of its metadata blocks that is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount(Fact):
    """One mount as kvmnb's own process sees it, from ``/proc/self/mountinfo``, else ``/proc/mounts``."""

    id: int
    """The kernel's number; of ``/proc/mounts`` the line."""
    parent: int
    """The mount that it is mounted on."""
    mount_point: str
    """Where it is mounted."""
    root: str
    """The folder of the file system that shows there: ``/``, else a bind mount's or subvolume's folder."""
    fs_type: str
    """``ext4``, ``xfs``, ``nfs4``, ``tmpfs``, ..."""
    options: tuple[str, ...]
    """The options of the mount and of its file system; ``rw`` only where both are."""
    source: str
    """What was mounted, as it was named: ``/dev/sda2``, ``host:/export``, ``tmpfs``."""
    number: str | None
    """Major and minor number that its files bear; ``0:`` for a file system without a device."""
    device: str | None
    """The name of the block device or partition under it; None where it is on none that is known."""


@dataclass(frozen=True, slots=True)
class Location:
    """What a path lies on: the mount, and the block devices below it from the top to the bottom."""

    mount: Mount | None
    """None for a block device itself, and where no mount is known to hold the path."""
    devices: tuple[BlockDevice | Partition, ...]
    """The device under the mount, then what that is built on; empty for NFS, tmpfs and what is not known."""

    @property
    def disks(self) -> tuple[BlockDevice, ...]:
        """The devices at the bottom, which do the work."""
        return tuple(one for one in self.devices if isinstance(one, BlockDevice) and not one.slaves)


def device_of(
    path: str, mounts: Sequence[Mount], blocks: Sequence[BlockDevice], links: Mapping[str, str] | None = None
) -> Location:
    """What an image's path lies on; the path is only compared, nothing is opened.

    ``links`` says where links below ``/dev`` lead to; links in other places are not known here, so a
    path that goes through one is placed by its text.
    """
    if not path.startswith("/"):
        return Location(None, ())
    known = (links or {}).get(path, path)
    plain = posixpath.normpath(known).replace("//", "/")
    if plain.startswith("/dev/"):
        name = device_named(plain, blocks)
        if name is not None:
            return Location(None, tuple(_below(name, blocks)))
    mount = mount_of(plain, mounts)
    if mount is None or mount.mount_point == "/dev":
        return Location(None, ())
    return Location(mount, tuple(_below(mount.device, blocks)))


def mount_of(path: str, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that an absolute path lies in, found as the kernel walks a path.

    A mount on a folder hides what was mounted below that folder before, so the longest prefix alone
    can name a mount that nobody reaches.
    """
    below: dict[int, list[Mount]] = {}
    ids = {mount.id for mount in mounts}
    found = None
    for mount in mounts:
        if mount.parent in ids and mount.parent != mount.id:
            below.setdefault(mount.parent, []).append(mount)
        elif mount.mount_point == "/":
            found = mount
    while found is not None:
        reached = [one for one in below.pop(found.id, ()) if _holds(one.mount_point, path)]
        if not reached:
            break
        # The walk meets the shortest one first; of two in one place the later one lies above.
        shortest = min(len(one.mount_point) for one in reached)
        found = [one for one in reached if len(one.mount_point) == shortest][-1]
    return found


def device_named(path: str, blocks: Iterable[BlockDevice]) -> str | None:
    """The block device or partition of a path below ``/dev``, by the names that the kernel and LVM give."""
    rest = path.removeprefix("/dev/")
    group, _, volume = rest.partition("/")
    # The device mapper's name of a logical volume joins both with a dash and doubles their own dashes.
    mapped = volume if group == "mapper" else f"{group.replace('-', '--')}-{volume.replace('-', '--')}"
    for block in blocks:
        # The kernel writes a slash in a name as "!".
        if block.name.replace("!", "/") == rest:
            return block.name
        if volume and block.gap_of("dm_name") is None and block.dm_name == mapped:
            return block.name
        for partition in _known_partitions(block):
            if partition.name.replace("!", "/") == rest:
                return partition.name
    return None


def _known_partitions(block: BlockDevice) -> tuple[Partition, ...]:
    return block.partitions if block.gap_of("partitions") is None else ()


def _holds(folder: str, path: str) -> bool:
    return folder == "/" or path == folder or path.startswith(f"{folder}/")


def _below(name: str | None, blocks: Iterable[BlockDevice]) -> Iterator[BlockDevice | Partition]:
    """A device and all that it is built on, each once, level by level."""
    by_name: dict[str, tuple[BlockDevice | Partition, BlockDevice]] = {}
    for block in blocks:
        by_name[block.name] = (block, block)
        by_name.update({partition.name: (partition, block) for partition in _known_partitions(block)})
    pending = [name] if name is not None else []
    met = set()
    for next_name in pending:
        if next_name in met or next_name not in by_name:
            continue
        met.add(next_name)
        one, device = by_name[next_name]
        yield one
        pending.extend([device.name] if one is not device else device.slaves)
