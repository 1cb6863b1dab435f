"""The host's memory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.collector import OfHost
from kvmnb.measure.metric import SLOW, TICK
from kvmnb.measure.metrics import host_memory as metrics
from kvmnb.measure.series import Count, Level, Reading, Series

NODES = "sys/devices/system/node"
KSM = "sys/kernel/mm/ksm"
OF_NODE = (
    (metrics.HOST_NODE_MEMORY, "MemTotal"),
    (metrics.HOST_NODE_FREE, "MemFree"),
    (metrics.HOST_NODE_FILES, "FilePages"),
)
OF_POOL = ((metrics.HOST_HUGEPAGES, "nr_hugepages"), (metrics.HOST_HUGEPAGES_FREE, "free_hugepages"))


class Swapping(OfHost):
    """Reads what went to swap and back."""

    period = TICK

    def __init__(self, files: Files) -> None:
        self._files = files
        self._page = os.sysconf("SC_PAGESIZE")

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment; OSError or ValueError where the file cannot be read."""
        told = dict(line.split() for line in self._files.read("proc/vmstat").splitlines())
        at = time.monotonic()
        for metric, name, unit in (
            (metrics.HOST_SWAP_IN, "pswpin", self._page),
            (metrics.HOST_SWAP_OUT, "pswpout", self._page),
            (metrics.HOST_MAJOR_FAULTS, "pgmajfault", 1),
        ):
            if name in told:
                yield Count(Series(metric.name, "", ""), int(told[name]) * unit, at, name)


class HostMemory(OfHost):
    """Reads nodes, hugepages, swap and KSM."""

    period = SLOW

    def __init__(self, files: Files) -> None:
        self._files = files
        self._page = os.sysconf("SC_PAGESIZE")

    def collect(self) -> Iterator[Reading]:
        """The gauges of this moment; OSError or ValueError where /proc/meminfo cannot be read."""
        told = kilobytes(self._files.read("proc/meminfo"))
        if "MemAvailable" in told:
            yield Level(Series(metrics.HOST_AVAILABLE.name, "", ""), told["MemAvailable"])
        if "SwapTotal" in told and "SwapFree" in told:
            yield Level(Series(metrics.HOST_SWAP_USED.name, "", ""), told["SwapTotal"] - told["SwapFree"])
        yield from self._nodes()
        yield from self._ksm()

    def _nodes(self) -> Iterator[Level]:
        """Each node; a kernel without NUMA has no such series."""
        if not self._files.exists(NODES):
            return
        for name in self._files.names(NODES):
            if not re.fullmatch(r"node\d+", name):
                continue
            told = kilobytes(self._files.read(f"{NODES}/{name}/meminfo"))
            number = int(name[4:])
            for metric, word in OF_NODE:
                if word in told:
                    yield Level(Series(metric.name, "", number), told[word])
            yield from self._pools(f"{NODES}/{name}/hugepages", number)

    def _pools(self, folder: str, node: int) -> Iterator[Level]:
        if not self._files.exists(folder):
            return
        for pool in self._files.names(folder):
            for metric, name in OF_POOL:
                part = f"{node}:{pool.removeprefix('hugepages-')}"
                yield Level(Series(metric.name, "", part), int(self._files.read(f"{folder}/{pool}/{name}")))

    def _ksm(self) -> Iterator[Reading]:
        """What KSM shares; a kernel without it has no such series."""
        if not self._files.exists(KSM):
            return
        for metric, name in ((metrics.HOST_KSM_SHARED, "pages_shared"), (metrics.HOST_KSM_SAVED, "pages_sharing")):
            yield Level(Series(metric.name, "", ""), int(self._files.read(f"{KSM}/{name}")) * self._page)
        scans = int(self._files.read(f"{KSM}/full_scans"))
        yield Count(Series(metrics.HOST_KSM_SCANS.name, "", ""), scans, time.monotonic(), KSM)


def kilobytes(text: str) -> dict[str, int]:
    """The sizes of a text of the form of /proc/meminfo, in bytes.

    >>> kilobytes("MemFree:  12 kB\\nNode 0 MemUsed:  1 kB\\nHugePages_Total: 5")
    {'MemFree': 12288, 'MemUsed': 1024}
    """
    return {name: int(size) * 1024 for name, size in re.findall(r"(\w+):\s+(\d+) kB", text)}
