"""Flushes to a device are switched off.

What is seen
    A file system that holds images of guests is mounted with ``nobarrier`` or ``barrier=0``. A device that the kernel
    takes for ``write through`` gets no flushes either; that is right for one without a volatile cache, or with power
    loss protection. Whether the cache is on is not read, so that a device under images which is ``write through`` is
    not checked.

Why it hurts
    The kernel does not ask the device to write its cache out. What a guest synced is then not safe, in every cache
    mode of its disk, and a power loss can destroy the guest's file system and the host's.

What to do
    Mount with barriers, live and in ``/etc/fstab``. For a device whose cache mode was overridden:
    ``echo 'write back' > /sys/block/DEVICE/queue/write_cache``, and remove the udev rule that overrides it.

Leave it when
    The device's cache is protected by a battery or capacitors, and you know it.

Cost
    Works at once, needs no restart; syncs take as long as the device needs. Durability: gained. Migration: none.
    Security: none.

Look by hand
    ``grep -E 'nobarrier|barrier=0' /proc/mounts``; ``grep . /sys/block/*/queue/write_cache``; ``hdparm -W /dev/sdX``.

Measure it
    ``fio --fsync=1`` on the file system: syncs in some microseconds are too good to be true without protection.

Sources
    * Linux documentation, block/writeback_cache_control
    * Linux documentation, admin-guide/ext4 (barrier)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.host.images import image_mounts, in_short
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.tunable.spelling import percent_encode, shell_word

RULE = Rule(
    id="host.blk.write_cache",
    severity=Severity.CRITICAL,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: it keeps data through a power cut",
)

WITHOUT_BARRIERS = ("nobarrier", "barrier=0")
# Devices of these may have a volatile cache whose mode somebody overrode.
MAY_HAVE_A_CACHE = ("nvme", "sata", "sas", "ata", "usb", "scsi")
NO_FLUSHES = "write through"


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each mount of images without barriers; NotSeen where a device may have been overridden."""
    through: set[str] = set()
    spoken = False
    for mount, files in image_mounts(view):
        option = next((one for one in mount.options if one in WITHOUT_BARRIERS), None)
        for device in view.location_of(files[0]).disks:
            if device.transport in MAY_HAVE_A_CACHE and device.write_cache == NO_FLUSHES:
                through.add(device.name)
        if option is None:
            continue
        spoken = True
        point = shell_word(mount.mount_point)
        on = "barrier=1" if mount.fs_type == "ext4" else "barrier"
        yield Seen(
            saw=f"{mount.mount_point} ({mount.fs_type}) holds {in_short(files)} and is mounted with {option} "
            "(/proc/self/mountinfo)",
            safety=Safety.MANUAL,
            by_hand=(
                f"sudo mount -o remount,{on} {point}",
                f"In /etc/fstab, remove {option} from the line of {mount.mount_point}.",
            ),
            subject=f"mount/{percent_encode(mount.mount_point)}",
        )
    if through and not spoken:
        names = ", ".join(sorted(through))
        raise NotSeen(Gap("blocks", f"whether the cache of {names} (write through) is volatile is not read"))
