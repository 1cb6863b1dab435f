"""cache=none needs no battery behind the disks.

What is said
    cache=none is only safe with a RAID controller that has a battery; without one take directsync or
    writethrough.

What is true
    none means that the host's page cache is passed by, no more. The guest still sees a disk with a write cache
    and flushes it, and QEMU hands each flush on to the device. What the guest has synced is as safe as the device
    is, with or without a battery. Any device that honours flushes will do.

Where it comes from
    It mixes up the host's cache with the one in a RAID controller, for which a battery does matter, and comes
    from guests of before 2010 that sent no flushes.

When it holds
    Where the guest never flushes: very old systems, or a guest file system mounted with barriers off. Then
    directsync is right.

Look by hand
    ``virsh dumpxml GUEST | grep cache=``; in the guest ``cat /sys/block/vda/queue/write_cache``.

Sources
    * QEMU documentation, disk images and cache modes
    * Linux documentation, block/writeback_cache_control
    * libvirt, Domain XML format, Hard drives
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import data_disks, subject
from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

MYTH = Myth("myth.cache_none_battery")


@MYTH.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk that flushes after each write beside direct I/O."""
    for disk in data_disks(domain.wanted):
        if disk.cache == "directsync":
            yield MYTH.sign(
                f"disk {disk.target}: driver/@cache is directsync (persistent XML), which flushes after each write",
                "If the guest flushes what it syncs, as all systems in use today do, none keeps the same promise.",
                subject=subject(disk),
            )
