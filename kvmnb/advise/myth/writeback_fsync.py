"""cache=writeback does not lose what the guest has synced.

What is said
    cache=writeback is unsafe and only for data that may be lost; take writethrough to be safe.

What is true
    writeback makes the same promise as none: a write may wait, a flush may not, and the guest's fsync is a flush.
    What was synced survives a power cut. Only ``unsafe`` drops flushes. What speaks against writeback is
    something else: the data is cached twice, much of it piles up unwritten in the host, and migration needs care.

Where it comes from
    The name, and versions of QEMU from before 2010 that did not hand flushes on.

When it holds
    For guests that never flush; for them writethrough is right, and slow.

Look by hand
    ``virsh dumpxml GUEST | grep cache=``; on the host ``grep Dirty /proc/meminfo``.

Sources
    * QEMU documentation, disk images and cache modes
    * libvirt, Domain XML format, Hard drives
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import data_disks, subject
from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

MYTH = Myth("myth.writeback_fsync")


@MYTH.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk that flushes after each write through the page cache."""
    for disk in data_disks(domain.wanted):
        if disk.cache == "writethrough":
            yield MYTH.sign(
                f"disk {disk.target}: driver/@cache is writethrough (persistent XML), which flushes after each write",
                "If the guest flushes what it syncs, none or writeback keeps the same promise.",
                subject=subject(disk),
            )
