"""virtio-scsi is not the better disk bus for every guest.

What is said
    Always take virtio-scsi, since only it has discard and several queues.

What is true
    virtio-blk discards since QEMU 4.0 with a machine type of 4.0 or later and Linux 5.0 in the guest, has one
    queue for each vCPU by default since machine type 5.2, and may spread its queues over iothreads since QEMU
    9.0. It has less between the guest and the image. QEMU's own advice is virtio-blk for speed.

Where it comes from
    The years before 2019, when virtio-blk knew no discard and had one queue.

When it holds
    With more than about 28 disks, for SCSI commands and reservations that pass through, for CD-ROMs on the same
    bus, and for guests with old kernels that need discard.

Look by hand
    ``virsh dumpxml GUEST | grep -A3 "<controller type='scsi'"``; in the guest ``lsblk -D``.

Sources
    * QEMU project, Configuring virtio-blk and virtio-scsi Devices (2021)
    * QEMU 4.0, 5.2 and 9.0 change logs
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import data_disks
from kvmnb.advise.disk.controller_choice import FEW_DISKS
from kvmnb.advise.disk.scsi import controller_of
from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

MYTH = Myth("myth.virtio_scsi")


@MYTH.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where all disks hang on virtio-scsi and none of them needs SCSI."""
    wanted = domain.wanted
    disks = tuple(data_disks(wanted))
    if (
        not disks
        or len(disks) > view.value(FEW_DISKS)
        or any(disk.device == "lun" or disk.reservations for disk in disks)
    ):
        return
    models = [one.model if (one := controller_of(disk, wanted)) is not None else None for disk in disks]
    if all(model is not None and model.startswith("virtio") for model in models):
        names = ", ".join(disk.target for disk in disks)
        yield MYTH.sign(
            f"all its disks ({names}) hang on virtio-scsi (persistent XML), and none passes SCSI commands through",
            "Leave them while they work; a new disk may have the bus virtio.",
            subject="controller/scsi",
        )
