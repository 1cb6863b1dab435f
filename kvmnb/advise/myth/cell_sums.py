"""Cells that hold half of the memory halve the guest.

What is said
    Add a NUMA cell to the guest for locality; its memory can be any number.

What is true
    When libvirt defines a guest it takes the sum of the cells as the guest's memory, without a word: memory of 8
    GiB with one cell of 4 GiB gives a guest of 4 GiB. And one cell alone brings no locality, since it tells the
    guest what it believes anyway. Cells are for guests that span host nodes, one for each, bound by memnode.

Where it comes from
    Examples that were written for another size. The test driver of libvirt does not do it, so trials there look
    fine.

When it holds
    Where the cells add up to the memory and each is bound to its host node.

Look by hand
    ``virsh dumpxml --inactive GUEST | grep -E 'memory|<cell'``; in the guest ``free -h``.

Sources
    * Tested: libvirt 9.0.0 with QEMU 7.2 rewrites memory and currentMemory to the sum of the cells
    * libvirt, Domain XML format, CPU model and topology (numa)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.numa import cell_memory
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

MYTH = Myth("myth.cell_sums")


@MYTH.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the sum of the cells is less than the memory."""
    wanted = domain.wanted
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    if not cells or sum(cell.memory_bytes for cell in cells) + wanted.memory_modules_bytes >= wanted.memory_bytes:
        return
    for seen in cell_memory.check(domain, view):
        yield MYTH.sign(seen.saw, "numa.cell_memory makes the sums agree.", subject="cpu/numa")
