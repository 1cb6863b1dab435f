"""A host's block devices, from ``/sys/block``."""

from __future__ import annotations

import errno
import posixpath
import re
from typing import Any, cast

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.gap import Gap
from kvmnb.facts.storage import BlockDevice, Partition
from kvmnb.probe.reader import Reader, gap, seen

ROOT = "sys/block"
# sysfs counts sizes and starts in sectors of 512 bytes, whatever the device's own sectors are.
SECTOR_BYTES = 512

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:!-]{0,63}")
_PCI = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_NVME_PATH = re.compile(r"(nvme\d+)c\d+(n\d+)")
# What a folder on a device's way through /sys/devices says of its transport; the first that fits counts.
_TRANSPORT_OF_FOLDER = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"/usb\d+/", "usb"),
        (r"/rport-[\d:-]+/", "fc"),
        (r"/session\d+/", "iscsi"),
        (r"/(?:end_device-|expander-)[\d:]+/", "sas"),
        (r"/ata\d+/", "sata"),
        (r"/virtio\d+/", "virtio"),
        (r"/mmc_host/", "mmc"),
        (r"/(?:vbd-|xen)", "xen"),
        (r"/VMBUS|/vmbus", "vmbus"),
    )
)
_TYPE_OF_NAME = (("loop", "loop"), ("sr", "rom"), ("zram", "zram"), ("dm-", "dm"), ("md", "md"))


def probe_blocks(read: Reader) -> tuple[BlockDevice, ...]:
    """Every block device by name, loop devices without a file left out; a gap where ``/sys/block`` cannot be read."""
    found = _names(read, ROOT, "host.blocks", missing_is_empty=False)
    if not seen(found):
        return cast(tuple[()], found)
    names = [name for name in found if _NAME.fullmatch(name)]
    paths: dict[str, list[str]] = {}
    for name in names:
        if match := _NVME_PATH.fullmatch(name):
            paths.setdefault(match[1] + match[2], []).append(name)
    plugged: dict[str, tuple[Any, Any]] = {}
    devices = []
    for name in sorted(names, key=_by_number):
        size = read.parse(f"{ROOT}/{name}/size", f"host.blocks[{name}].size_bytes", _sectors)
        if size != 0 or not name.startswith("loop"):
            devices.append(_device(read, name, size, tuple(paths.get(name, ())), plugged))
    return tuple(devices)


def _device(
    read: Reader, name: str, size: int, paths: tuple[str, ...], plugged: dict[str, tuple[Any, Any]]
) -> BlockDevice:
    folder, fact = f"{ROOT}/{name}", f"host.blocks[{name}]"
    listed = _names(read, folder, fact)
    inside = frozenset(listed) if seen(listed) else frozenset()
    queue = f"{folder}/queue"
    place = _place(read, name)
    numa_node, irqs = _plugged_in(read, place, fact, plugged)
    if name.startswith("nvme") and "device" in inside:
        numa_node = read.integer(f"{folder}/device/numa_node", f"{fact}.numa_node", numa_node)
    chosen: Any = read.parse(f"{queue}/scheduler", f"{fact}.scheduler", parse_scheduler, (None, ()))
    scheduler, schedulers = chosen if seen(chosen) else (chosen, gap(f"{fact}.schedulers", chosen.reason))
    return BlockDevice(
        name=name,
        number=read.parse(f"{folder}/dev", f"{fact}.number", parse_number, None),
        type=_type(read, name, folder, fact, inside),
        transport=_transport(read, name, folder, place, fact) if place or "device" in inside else None,
        model=read.text(f"{folder}/device/model", f"{fact}.model", None) if "device" in inside else None,
        numa_node=numa_node,
        irqs=irqs,
        size_bytes=size,
        ro=read.parse(f"{folder}/ro", f"{fact}.ro", _flag),
        removable=read.parse(f"{folder}/removable", f"{fact}.removable", _flag, False),
        rotational=read.parse(f"{queue}/rotational", f"{fact}.rotational", _flag),
        scheduler=scheduler,
        schedulers=schedulers,
        nr_requests=read.integer(f"{queue}/nr_requests", f"{fact}.nr_requests", None),
        queue_depth=read.integer(f"{folder}/device/queue_depth", f"{fact}.queue_depth", None)
        if name.startswith(("sd", "sr"))
        else None,
        hardware_queues=_count(read, f"{folder}/mq", f"{fact}.hardware_queues") if "mq" in inside else None,
        read_ahead_kb=read.integer(f"{queue}/read_ahead_kb", f"{fact}.read_ahead_kb"),
        write_cache=read.parse(f"{queue}/write_cache", f"{fact}.write_cache", _write_cache, None),
        fua=read.parse(f"{queue}/fua", f"{fact}.fua", _flag, None),
        discard_max_bytes=read.integer(f"{queue}/discard_max_bytes", f"{fact}.discard_max_bytes", None),
        discard_granularity_bytes=read.integer(
            f"{queue}/discard_granularity", f"{fact}.discard_granularity_bytes", None
        ),
        nomerges=read.integer(f"{queue}/nomerges", f"{fact}.nomerges", None),
        rq_affinity=read.integer(f"{queue}/rq_affinity", f"{fact}.rq_affinity", None),
        zoned=read.text(f"{queue}/zoned", f"{fact}.zoned", None),
        logical_block_bytes=read.integer(f"{queue}/logical_block_size", f"{fact}.logical_block_bytes"),
        physical_block_bytes=read.integer(f"{queue}/physical_block_size", f"{fact}.physical_block_bytes"),
        optimal_io_bytes=read.integer(f"{queue}/optimal_io_size", f"{fact}.optimal_io_bytes", None),
        dm_name=read.text(f"{folder}/dm/name", f"{fact}.dm_name", None) if "dm" in inside else None,
        slaves=paths or _slaves(read, name, folder, fact, inside),
        holders=_devices(read, f"{folder}/holders", f"{fact}.holders") if "holders" in inside else (),
        partitions=_partitions(read, name, folder, fact, inside)
        if seen(listed)
        else gap(f"{fact}.partitions", _said(listed)),
    )


def _partitions(read: Reader, name: str, folder: str, fact: str, inside: frozenset[str]) -> tuple[Partition, ...]:
    # A partition is the disk's name and a number, with a "p" between where the disk's name ends in a digit.
    stem = f"{name}p" if name[-1].isdigit() else name
    numbers = sorted(int(one[len(stem) :]) for one in inside if re.fullmatch(re.escape(stem) + r"\d{1,4}", one))
    found = []
    for number in numbers:
        path, its = f"{folder}/{stem}{number}", f"{fact}.partitions[{stem}{number}]"
        found.append(
            Partition(
                name=f"{stem}{number}",
                number=read.parse(f"{path}/dev", f"{its}.number", parse_number, None),
                start_bytes=read.parse(f"{path}/start", f"{its}.start_bytes", _sectors),
                size_bytes=read.parse(f"{path}/size", f"{its}.size_bytes", _sectors),
                holders=_devices(read, f"{path}/holders", f"{its}.holders"),
            )
        )
    return tuple(found)


def _slaves(read: Reader, name: str, folder: str, fact: str, inside: frozenset[str]) -> tuple[str, ...]:
    if "slaves" in inside:
        return _devices(read, f"{folder}/slaves", f"{fact}.slaves")
    # What is made of others always has the folder; without it, it must not pass for a disk.
    return gap(f"{fact}.slaves", f"/{folder}/slaves is not there") if name.startswith(("dm-", "md")) else ()


def _type(read: Reader, name: str, folder: str, fact: str, inside: frozenset[str]) -> str:
    if "dm" in inside:
        return read.parse(f"{folder}/dm/uuid", f"{fact}.type", parse_dm_uuid, "dm")
    if "md" in inside:
        return read.parse(f"{folder}/md/level", f"{fact}.type", lambda text: text or "md", "md")
    if _NVME_PATH.fullmatch(name):
        return "path"
    return next((word for start, word in _TYPE_OF_NAME if re.fullmatch(start + r"\d+", name)), "disk")


def _transport(read: Reader, name: str, folder: str, place: str, fact: str) -> str | None:
    if name.startswith("nvme"):
        fabric = read.text(f"{folder}/device/transport", f"{fact}.transport", "pcie")
        return f"nvme-{fabric}" if seen(fabric) and fabric != "pcie" else "nvme" if seen(fabric) else fabric
    for pattern, word in _TRANSPORT_OF_FOLDER:
        if pattern.search(place):
            return word
    # Without the link: libata writes "ATA" where a SCSI disk has its vendor.
    if name.startswith("sd") and not place:
        vendor = read.text(f"{folder}/device/vendor", f"{fact}.transport", "")
        return "sata" if vendor == "ATA" else None
    return "virtio" if name.startswith("vd") else "mmc" if name.startswith("mmcblk") else None


def _place(read: Reader, name: str) -> str:
    """Where a device stands below ``sys/devices``; empty where no link tells.

    A recording holds ``sys/block/NAME`` as a folder, so the link's target stands in ``sys/class/block``.
    """
    for folder in ("sys/class/block", ROOT):
        try:
            target = read.files.link(f"{folder}/{name}")
        except (OSError, ValueError, KvmnbError):
            continue
        place = posixpath.normpath(posixpath.join(folder, target))
        if place.startswith("sys/devices/") and len(place) < 1024 and "\0" not in place:
            return place
    return ""


def _plugged_in(read: Reader, place: str, fact: str, plugged: dict[str, tuple[Any, Any]]) -> tuple[Any, Any]:
    """The NUMA node and the interrupts of the PCI device nearest to a block device, read once for each."""
    parts = place.split("/")
    last = max((position for position, part in enumerate(parts) if _PCI.fullmatch(part)), default=None)
    if last is None:
        return None, None
    folder = "/".join(parts[: last + 1])
    if folder not in plugged:
        numbers = sorted(int(name) for name in read.names(f"{folder}/msi_irqs") if name.isdecimal() and len(name) < 10)
        if not numbers:
            # A device without message-signalled interrupts has one line; 0 means none.
            line = read.integer(f"{folder}/irq", f"{fact}.irqs", None)
            numbers = [line] if line and seen(line) else []
        node = read.integer(f"{folder}/numa_node", f"{fact}.numa_node", None)
        plugged[folder] = (node, tuple(numbers) or None)
    return plugged[folder]


def parse_scheduler(text: str) -> tuple[str | None, tuple[str, ...]]:
    """The scheduler in use and all that are offered; a bare ``none`` is a device without a choice.

    >>> parse_scheduler("none [mq-deadline] kyber bfq")
    ('mq-deadline', ('none', 'mq-deadline', 'kyber', 'bfq'))
    >>> parse_scheduler("none")
    (None, ())
    """
    if text == "none":
        return None, ()
    words = text.split()
    chosen = [word[1:-1] for word in words if word.startswith("[") and word.endswith("]")]
    offered = tuple(word.strip("[]") for word in words)
    if len(chosen) != 1 or not all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", word) for word in offered):
        raise ValueError(f"{text[:60]!r} names no scheduler in use")
    return chosen[0], offered


def parse_number(text: str) -> str:
    """A device's major and minor number.

    >>> parse_number("259:0")
    '259:0'
    """
    if not re.fullmatch(r"\d{1,10}:\d{1,10}", text):
        raise ValueError(f"{text[:40]!r} is not a device number")
    return text


def parse_dm_uuid(text: str) -> str:
    """What the device mapper made, from the word that its tools put before a UUID.

    >>> parse_dm_uuid("LVM-x1"), parse_dm_uuid("part1-mpath-3600"), parse_dm_uuid("CRYPT-LUKS2-ab"), parse_dm_uuid("")
    ('lvm', 'part', 'crypt', 'dm')
    """
    match = re.match(r"([A-Za-z]{1,32})\d*-", text)
    return match[1].lower() if match else "dm"


def _sectors(text: str) -> int:
    if not re.fullmatch(r"\d{1,19}", text):
        raise ValueError(f"{text[:40]!r} is not a number of sectors")
    return int(text) * SECTOR_BYTES


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"{text[:40]!r} is neither 0 nor 1")
    return text == "1"


def _write_cache(text: str) -> str:
    if text not in ("write back", "write through"):
        raise ValueError(f"{text[:40]!r} is neither 'write back' nor 'write through'")
    return text


def _names(read: Reader, path: str, fact: str, *, missing_is_empty: bool = True) -> list[str]:
    """The names in a folder; a gap where it cannot be listed, so that no list looks like an empty one."""
    try:
        return read.files.names(path)
    except OSError as problem:
        if problem.errno == errno.ENOENT and missing_is_empty:
            return []
        root = problem.errno in (errno.EACCES, errno.EPERM)
        return gap(fact, f"/{path} needs root" if root else f"/{path}: {problem.strerror}")  # type: ignore[no-any-return]


def _devices(read: Reader, path: str, fact: str) -> tuple[str, ...]:
    found = _names(read, path, fact)
    return tuple(name for name in found if _NAME.fullmatch(name)) if seen(found) else cast(tuple[()], found)


def _count(read: Reader, path: str, fact: str) -> int:
    found = _names(read, path, fact)
    return sum(name.isdecimal() for name in found) if seen(found) else cast(int, found)


def _said(value: object) -> str:
    return value.reason if isinstance(value, Gap) else ""


def _by_number(name: str) -> list[tuple[int, str | int]]:
    """Orders ``sda2`` before ``sda10``."""
    return [(1, int(part)) if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name) if part]
