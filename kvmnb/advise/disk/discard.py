"""What the guest frees is not given back to the storage.

What is seen
    ``driver/@discard`` is not ``unmap`` on a disk whose storage can take space back: a qcow2 file, an RBD image, or a
    block device that takes discards (a thin volume, an SSD). A virtio disk takes part from machine type 4.0 on. Of a
    raw file it takes the image itself to tell whether it is sparse: until that is read, such a disk is not checked.
    Whether anybody trims inside the guest is not seen.

Why it hurts
    The image only grows, whatever the guest deletes; thin pools fill up, and SSDs keep moving blocks that nobody needs.
    It is no reason for virtio-scsi: virtio-blk can do it since QEMU 4.0 and Linux 5.0.

What to do
    ``discard='unmap'``, and in the guest ``fstrim.timer``, or ``virsh domfstrim GUEST`` through its agent. With
    libvirt 9.5 and QEMU 8.1 a qcow2 image fragments less with ``discard_no_unref='on'``.

Leave it when
    The image was allocated beforehand on purpose, or deleted data should stay recoverable.

Cost
    The guest has to be shut down and started. What the guest deletes and trims is gone for good. Durability: none for
    data in use. Migration: none. Security: on an encrypted volume it shows which blocks are used, so that those are
    left to a person.

Look by hand
    In the guest ``lsblk -D``: zero means that discards end there. On the host ``virsh domblkinfo GUEST vda``.

Measure it
    The allocation by ``virsh domblkinfo`` before and after ``fstrim -av`` in the guest.

Sources
    * libvirt, Domain XML format, disk driver discard and discard_no_unref
    * QEMU source, hw/core/machine.c (hw_compat_3_1 switches discard off)
    * Tested with QEMU 7.2: off with pc-q35-3.1, on with pc-q35-4.0
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import at_next_start, bus_of, data_disks, location, subject
from kvmnb.advise.disk.machine_type import defaults_of
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.storage import BlockDevice
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.discard",
    severity=Severity.MEDIUM,
    goals=(Goal.DENSITY, Goal.BALANCED, Goal.THROUGHPUT),
    basis="documented and heuristic",
    effect=Effect.SMALL,
    effect_basis="documented: space given back, and fewer writes inside SSDs",
)

# Buses whose devices have a word for discard in QEMU.
CAN_DISCARD = ("virtio", "scsi", "sata", "ide")
# hw_compat_3_1 in QEMU's hw/core/machine.c: older machine types have virtio-blk without it.
MACHINE_SINCE = "4.0"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk whose storage could take space back; NotSeen where only images could tell."""
    unread: list[str] = []
    spoken = False
    for disk in data_disks(domain.wanted):
        bus = bus_of(disk)
        if disk.discard == "unmap" or bus not in CAN_DISCARD:
            continue
        storage = reclaims(disk, view)
        if storage is None:
            if disk.type == "file" and disk.format in (None, "raw"):
                unread.append(f"whether the raw image of {disk.target} is sparse is not read")
            elif disk.type == "block" and _device(disk, view) is None:
                unread.append(f"the block device of {disk.target} is not among those of the host that are known")
            continue
        spoken = True
        present = f"driver/@discard is {disk.discard}" if disk.discard is not None else "there is no driver/@discard"
        saw = f"{present}, though {storage} can take space back"
        if (why := _for_a_person(domain, disk, view)) is not None:
            yield Seen(
                saw=f"disk {disk.target}: {saw}",
                safety=Safety.MANUAL,
                by_hand=(f"virsh edit {shell_word(domain.name)}  # disk {disk.target}: driver discard='unmap'",),
                note=why,
                subject=subject(disk),
            )
        else:
            yield at_next_start(
                domain,
                disk,
                saw,
                {"driver/@discard": "unmap"},
                costs=("what the guest deletes and trims cannot be recovered from the image",),
            )
    if unread and not spoken:
        raise NotSeen(Gap("images", "; ".join(unread)))


def reclaims(disk: Disk, view: View) -> str | None:
    """The storage in words where it is known to take space back; None otherwise."""
    if disk.type == "file" and disk.format == "qcow2":
        return "a qcow2 file"
    if disk.type == "network" and disk.protocol == "rbd":
        return "an RBD image"
    if disk.type == "block":
        top = _device(disk, view)
        if top is not None and top.discard_max_bytes:
            return f"the block device {disk.block} ({top.name}, queue/discard_max_bytes {top.discard_max_bytes})"
    return None


def _device(disk: Disk, view: View) -> BlockDevice | None:
    """The block device, or the one that a partition is of."""
    place = location(disk, view)
    if place.mount is not None:
        return None
    return next((one for one in place.devices if isinstance(one, BlockDevice)), None)


def _for_a_person(domain: Domain, disk: Disk, view: View) -> str | None:
    if disk.encrypted or disk.source_encrypted:
        return "the image is encrypted, and discards show which of its blocks are used"
    if bus_of(disk) != "virtio":
        return None
    hypervisor = view.host.hypervisor
    kept = defaults_of(domain.wanted.machine, hypervisor.version if hypervisor is not None else None)
    if at_least(kept, MACHINE_SINCE):
        return None
    return (
        f"the machine type {domain.wanted.machine} is older than {MACHINE_SINCE}, whose virtio disks take no discards: "
        "it has to be a newer one first"
    )
