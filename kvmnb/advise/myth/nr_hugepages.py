"""nr_hugepages counts pages, not bytes, and no page twice.

What is said
    For a guest of 8 GiB write 2048, or 8192, into nr_hugepages.

What is true
    It counts pages of the default size, mostly 2 MiB: 8 GiB are 4096 of them. 2048 pages hold 4 GiB, and 8192
    lock up 16 GiB. The write can also give less than was asked for, without an error, since the kernel takes what
    it finds in one piece; pages have to lie on the guest's node, and they are gone at the next boot. Read the
    number back, for each node.

Where it comes from
    Examples that were copied with another guest's size, and the habit of giving sizes in MiB.

When it holds
    The number itself is right wherever it is memory divided by page size, summed over guests.

Look by hand
    ``grep Huge /proc/meminfo``; ``cat /sys/devices/system/node/node*/hugepages/*/nr_hugepages``.

Sources
    * Linux documentation, admin-guide/mm/hugetlbpage
    * libvirt, Domain XML format, Memory Backing
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.mem.pages import all_pages, default_size, needs
from kvmnb.advise.view import View
from kvmnb.core.units import format_bytes

MYTH = Myth("myth.nr_hugepages")


@MYTH.host
def check(view: View) -> Iterator[Seen]:
    """A finding where the pool holds exactly half, or twice, of what all guests with hugepages need."""
    size = default_size(view)
    pool = sum(all_pages(view.host, size).values())
    asked = sum(need.pages for one in view.domains for need in needs(one.wanted, size) if need.size == size)
    if not pool or not asked:
        return
    if pool * 2 == asked or pool == asked * 2:
        word = "half" if pool < asked else "twice"
        yield MYTH.sign(
            f"the pool has {pool} pages of {format_bytes(size)} (/sys/devices/system/node), exactly {word} of the "
            f"{asked} that all guests with hugepages need",
            f"Work it out again: {asked} pages; mem.hugepages.pool says on which nodes.",
            subject="hugepages",
        )
