"""A disk goes through the host's page cache although its storage suits direct I/O.

What is seen
    ``driver/@cache`` is absent, ``default``, ``writeback`` or ``writethrough`` on a block device, on a file whose
    device is NVMe, or on a file of a shared file system. Absent means writeback. The configuration and the host's
    mounts show it. Left alone: network disks, whose cache is their client library's; file systems that take no
    direct I/O; overlays of a base image with ``writeback`` written out, where guests may share the base's pages.

Why it hurts
    Each block is held twice, by the guest and by the host, and the host writes it back in bursts of its own
    choosing, which stall all guests. A guest on shared storage may also refuse to migrate. It is no matter of lost
    data: every mode but ``unsafe`` keeps what the guest flushed, ``none`` needs no battery, and ``writeback`` loses
    no data that was synced.

What to do
    ``none``: direct I/O, and a write cache that the guest knows of and flushes. Where ``writethrough`` was chosen,
    for a guest that never flushes, ``directsync`` keeps that promise without the page cache.

Leave it when
    Many guests read the same base image and memory is plenty, as with dense desktops.

Cost
    The guest has to be shut down and started; libvirt refuses the change while it runs. Reads come from the device
    instead of the host's memory. Durability: the same. Migration: easier. Security: none.

Look by hand
    ``virsh dumpxml GUEST --xpath //disk/driver``; ``grep flags /proc/PID/fdinfo/*``, where octal 040000 is O_DIRECT.

Measure it
    The guest's latency at the 99th percentile while another guest writes; Buffers and Cached in /proc/meminfo.

Sources
    * libvirt, Domain XML format, disk driver cache
    * QEMU manual, -drive cache
    * libvirt source, src/qemu/qemu_migration.c (which cache modes migrate)
    * Linux documentation, block/writeback_cache_control
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import at_next_start, data_disks, location
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="disk.cache",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: steadier answers; how much faster depends on how short the host's memory is",
)

CACHED = (None, "default", "writeback", "writethrough")
SHARED_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "ceph", "gfs2", "ocfs2", "gpfs", "lustre")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk that should not go through the page cache."""
    for disk in data_disks(domain.wanted):
        found = fitting(disk, view) if disk.cache in CACHED else None
        if found is None:
            continue
        value, storage = found
        present = f"driver/@cache is {disk.cache}" if disk.cache is not None else "there is no driver/@cache"
        yield at_next_start(
            domain,
            disk,
            f"{present}, so that {storage} is read and written through the host's page cache",
            {"driver/@cache": value},
            costs=("what the host's memory served is read from the device again",),
            note="directsync keeps what writethrough promises; choose none where the guest flushes"
            if value == "directsync"
            else None,
        )


def fitting(disk: Disk, view: View) -> tuple[str, str] | None:
    """The cache mode that the disk should have, and the storage that asks for it; None: its own or writeback fits."""
    if disk.cache not in (*CACHED, "unsafe"):
        return None
    storage = _storage(disk, view)
    if storage is None or (disk.cache in ("writeback", "unsafe") and disk.backing_chain > 0):
        return None
    return ("directsync" if disk.cache == "writethrough" else "none"), storage


def _storage(disk: Disk, view: View) -> str | None:
    """The storage in words where direct I/O suits it."""
    if disk.type == "block":
        return f"the block device {disk.block}"
    if disk.type != "file" or disk.file is None:
        return None
    place = location(disk, view)
    if place.mount is not None and place.mount.fs_type in SHARED_FILE_SYSTEMS:
        return f"{disk.file} on the shared file system {place.mount.fs_type}"
    disks = place.disks
    if disks and all(one.transport is not None and one.transport.startswith("nvme") for one in disks):
        return f"{disk.file} on {', '.join(one.name for one in disks)} (NVMe)"
    return None
