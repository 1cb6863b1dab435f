"""The disks whose images are files or block devices of this host, and those of them that are qcow2."""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import data_disks
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain


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
