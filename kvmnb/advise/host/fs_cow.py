"""Images lie on a file system that copies on each write.

What is seen
    Images of guests lie on btrfs without ``nodatacow``, or on ZFS. Whether a btrfs image has the attribute C, and
    which recordsize a ZFS dataset has, is not read yet: the finding is possible and no more, and never above info.

Why it hurts
    Random writes into a large file scatter it over the disk, since each goes to a new place; qcow2 on btrfs copies
    twice. On ZFS with records of 128 KiB a write of 4 KiB reads and writes a whole record.

What to do
    btrfs: the attribute C on the empty folder or file before the image is written (a libvirt pool does that with
    ``<cow state='no'/>``). ZFS: a volume with a volblocksize of 16 KiB or more. Or XFS or ext4.

Leave it when
    Snapshots or checksums of the file system are used for the images.

Cost
    The image has to be copied while its guest is shut off. Durability: without copy on write btrfs keeps no checksums
    of the image. Migration: none. Security: none.

Look by hand
    ``lsattr IMAGE`` (C), ``filefrag IMAGE`` (extents), ``zfs get recordsize DATASET``.

Measure it
    ``fio`` with random writes of 4 KiB in the guest, and the extents by ``filefrag``, over days.

Sources
    * QEMU documentation, system/qemu-block-drivers (nocow)
    * libvirt release notes 6.6.0 (copy on write of pools)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.host.images import image_mounts, in_short
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.tunable.spelling import percent_encode, shell_word

RULE = Rule(
    id="host.fs.cow",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: much on a file system that has aged, little on a fresh one",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding, never above info while attributes are not read, for each mount of images that copies on write."""
    for mount, files in image_mounts(view):
        if mount.fs_type == "btrfs" and "nodatacow" not in mount.options:
            look = f"lsattr -d {shell_word(files[0])}  # no C: it is copied on each write"
            fix = "With the guest shut off, copy the image into a new folder that had chattr +C while it was empty."
            unread = "whether the images have the attribute C is not read"
        elif mount.fs_type == "zfs":
            look = f"zfs get recordsize {shell_word(mount.source)}"
            fix = "With the guest shut off, copy the image to a ZFS volume with volblocksize=16k."
            unread = "the recordsize of the dataset is not read"
        else:
            continue
        yield Seen(
            saw=f"{mount.mount_point} ({mount.fs_type}) holds {in_short(files)} (/proc/self/mountinfo)",
            severity=Severity.INFO,
            sure=Sure.POSSIBLE,
            safety=Safety.MANUAL,
            by_hand=(look, fix),
            note=f"{unread}, nor how the guests write",
            subject=f"mount/{percent_encode(mount.mount_point)}",
        )
