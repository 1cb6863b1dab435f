"""An image is qcow2, and nothing that qcow2 can do is used.

What is seen
    A qcow2 image without an image below it, without snapshots of its own or of libvirt, without encryption, without
    bitmaps of backups, with all of its space taken, on storage that makes snapshots itself (LVM, ZFS, btrfs, bcachefs,
    Ceph). Whether an array behind other storage makes snapshots cannot be seen; nothing is then said.

Why it hurts
    Each request goes through qcow2's tables. It is not much: with all clusters allocated and the tables in the cache
    (disk.qcow2.cache), qcow2 comes close to raw. So this is a remark, not a fault.

What to do
    Measure first. Then copy the disk into a raw image or a logical volume with ``virsh blockcopy`` and pivot, and
    name ``raw`` as its format in the XML, so that nobody guesses it.

Leave it when
    Snapshots, incremental backups or thin images by QEMU are wanted later, or nothing was measured.

Cost
    No restart; the copy takes the same space once more and much I/O. Durability: none, but qcow2's snapshots, bitmaps
    and encryption would be lost. Migration: none. Security: a raw image whose format is not named can be passed off
    as another.

Look by hand
    ``qemu-img info -U IMAGE``; ``virsh snapshot-list GUEST``; ``findmnt -T IMAGE``; ``lsblk -s``.

Measure it
    ``fio`` with random reads and writes in the guest, on both formats on the same storage.

Sources
    * QEMU project blog, storage overview (2020)
    * QEMU documentation, qcow2-cache
    * KVM Forum 2020, A. Garcia on qcow2 that is slow by its options
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.apart import apart
from kvmnb.advise.disk.change import location, subject
from kvmnb.advise.disk.images import qcow2_disks
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.units import format_bytes
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.image import Image
from kvmnb.facts.storage import BlockDevice
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.format.raw",
    severity=Severity.INFO,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: qcow2 with allocated clusters and cached tables comes close to raw",
    asks=("images",),
)

SNAPSHOTTING = ("zfs", "btrfs", "bcachefs", "ceph")
SNAPSHOTTING_DEVICES = ("rbd", "zd")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each image that is qcow2 for nothing."""
    yield from apart(view, qcow2_disks(domain), lambda disk: _judged(domain, disk, view))


def _judged(domain: Domain, disk: Disk, view: View) -> Iterator[Seen]:
    store = _snapshotting(disk, view)
    if store is None or disk.encrypted or disk.source_encrypted:
        return
    image = domain.image_of(disk.target)
    if _used(image) or _snapshots(domain):
        return
    if image.fully_allocated is None:
        raise NotSeen(Gap(f"images[{image.path}]", "how much of a block device its qcow2 has taken is not told"))
    if not image.fully_allocated:
        return
    name, target = shell_word(domain.name), shell_word(disk.target)
    yield Seen(
        saw=f"disk {disk.target}: qcow2 of {format_bytes(image.virtual_bytes)}, all allocated, with no image below, no "
        f"snapshot, no bitmap and no encryption (qemu-img), on {store}, which makes snapshots itself",
        sure=Sure.POSSIBLE,
        safety=Safety.MANUAL,
        by_hand=(
            f"virsh blockcopy {name} {target} NEW --format raw --pivot --wait --verbose"
            if domain.running
            else f"qemu-img convert -f qcow2 -O raw {shell_word(image.path)} NEW  # then name it and its format raw",
            "Compare both with fio before you keep the copy.",
        ),
        note=f"{NOT_MEASURED}; with its tables in the cache qcow2 is nearly as fast",
        subject=subject(disk),
    )


def _used(image: Image) -> bool:
    """Whether something that only qcow2 can do is in use."""
    return bool(
        image.backing_file is not None or image.snapshots or image.bitmaps or image.encrypted or image.data_file
    )


def _snapshots(domain: Domain) -> bool:
    """Whether libvirt keeps snapshots; of a domain that was given as a file it keeps none."""
    return domain.state is not None and domain.state.snapshots > 0


def _snapshotting(disk: Disk, view: View) -> str | None:
    """The storage under the disk that makes snapshots by itself; None where none is seen."""
    here = location(disk, view)
    if here.mount is not None and here.mount.fs_type in SNAPSHOTTING:
        return here.mount.fs_type
    for device in here.devices:
        if isinstance(device, BlockDevice):
            if device.type == "lvm":
                return f"the logical volume {device.dm_name or device.name}"
            if device.name.startswith(SNAPSHOTTING_DEVICES):
                return f"the volume {device.name}"
    return None
