"""The disks whose images are files or block devices of this host, and those of them that are qcow2."""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import data_disks
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.image import Image


def image_disks(domain: Domain) -> Iterator[Disk]:
    """The disks that the guest writes and whose image this host holds."""
    for disk in data_disks(domain.wanted):
        if disk.type in ("file", "block") and (disk.file or disk.block):
            yield disk


def qcow2_disks(domain: Domain) -> Iterator[Disk]:
    """Those of qcow2."""
    for disk in image_disks(domain):
        if disk.format == "qcow2":
            yield disk


def path_of(disk: Disk) -> str:
    """Where the image lies."""
    return disk.file or disk.block or ""


def known_image(domain: Domain, disk: Disk) -> Image | None:
    """The disk's image, for a rule that speaks without it too; None where it is not seen."""
    if domain.gap_of("images") is not None:
        return None
    found = next((one for one in domain.images if one.target == disk.target), None)
    return None if found is None or found.gap_of("image") is not None else found.image
