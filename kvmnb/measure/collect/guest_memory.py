"""Guests' memory and CPU time as the kernel accounts their QEMU processes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.census import Census
from kvmnb.measure.collect.host_memory import kilobytes
from kvmnb.measure.metric import RARE, SLOW, TICK
from kvmnb.measure.metrics import guest_memory as metrics
from kvmnb.measure.metrics.thread import GUEST_CPU
from kvmnb.measure.series import GUESTS, Count, Level, Reading, Series

SIZES = (
    (metrics.GUEST_RESIDENT, "VmRSS"),
    (metrics.GUEST_SWAPPED, "VmSwap"),
    (metrics.GUEST_HUGEPAGES, "HugetlbPages"),
)


class GuestProcesses:
    """CPU time and major faults of each guest's QEMU."""

    subject = GUESTS
    period = TICK

    def __init__(self, files: Files, census: Census) -> None:
        self.gaps: dict[str, str] = {}
        self._files = files
        self._census = census
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment."""
        for uuid, guest in list(self._census.guests().items()):
            process = guest.process
            try:
                words = self._files.read(f"proc/{process.pid}/stat").rpartition(")")[2].split()
            except OSError:
                self._census.doubt(uuid)
                continue
            at, of = time.monotonic(), (process.pid, process.start_ticks)
            # Fields 12, 14 and 15 of proc(5), which counts the two that are cut off.
            ran = (int(words[11]) + int(words[12])) / self._ticks_per_second
            yield Count(Series(GUEST_CPU.name, uuid, ""), ran, at, of)
            yield Count(Series(metrics.GUEST_MAJOR_FAULTS.name, uuid, ""), int(words[9]), at, of)


class GuestMemory:
    """Memory of each guest's QEMU, in RAM, in hugepages and in swap."""

    subject = GUESTS
    period = SLOW

    def __init__(self, files: Files, census: Census) -> None:
        self.gaps: dict[str, str] = {}
        self._files = files
        self._census = census

    def collect(self) -> Iterator[Reading]:
        """The gauges of this moment."""
        for uuid, guest in list(self._census.guests().items()):
            try:
                told = kilobytes(self._files.read(f"proc/{guest.process.pid}/status"))
            except OSError:
                self._census.doubt(uuid)
                continue
            for metric, word in SIZES:
                if word in told:
                    yield Level(Series(metric.name, uuid, ""), told[word])


class NodeMemory:
    """Where the memory of one guest's QEMU lies."""

    period = RARE

    def __init__(self, files: Files) -> None:
        self._files = files

    def of(self, uuid: str, pid: int) -> Iterator[Level]:
        """The bytes on each node; OSError where the process is gone or hidden, or the kernel has no nodes."""
        found = node_bytes(self._files.read(f"proc/{pid}/numa_maps"))
        for node, size in sorted(found.items()):
            yield Level(Series(metrics.GUEST_NODE_MEMORY.name, uuid, node), size)


def node_bytes(numa_maps: str) -> dict[int, int]:
    """Bytes of memory on each node.

    >>> node_bytes("7f00 default anon=3 N0=2 N1=1 kernelpagesize_kB=4\\n7f11 bind:1 huge N1=2 kernelpagesize_kB=2048")
    {0: 8192, 1: 4198400}
    """
    found: dict[int, int] = {}
    for line in numa_maps.splitlines():
        size = re.search(r" kernelpagesize_kB=(\d+)", line)
        if size:
            for node, pages in re.findall(r" N(\d+)=(\d+)", line):
                found[int(node)] = found.get(int(node), 0) + int(pages) * int(size[1]) * 1024
    return found
