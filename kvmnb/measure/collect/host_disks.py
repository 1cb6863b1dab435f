"""The host's block devices, from ``/proc/diskstats``."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.collector import OfHost
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics import host_disk as metrics
from kvmnb.measure.series import Count, Level, Reading, Series

SECTOR = 512
MILLISECOND = 1e-3
# Which words of a line, counted from 0 (the kernel's Documentation/admin-guide/iostats.rst counts from 1).
COLUMNS = (
    (metrics.HOST_DISK_READS, 3, 1),
    (metrics.HOST_DISK_READ_BYTES, 5, SECTOR),
    (metrics.HOST_DISK_READ_SECONDS, 6, MILLISECOND),
    (metrics.HOST_DISK_WRITES, 7, 1),
    (metrics.HOST_DISK_WRITTEN_BYTES, 9, SECTOR),
    (metrics.HOST_DISK_WRITE_SECONDS, 10, MILLISECOND),
    (metrics.HOST_DISK_BUSY, 12, MILLISECOND),
    (metrics.HOST_DISK_QUEUED, 13, MILLISECOND),
    (metrics.HOST_DISK_FLUSHES, 18, 1),
    (metrics.HOST_DISK_FLUSH_SECONDS, 19, MILLISECOND),
)
IN_FLIGHT = 11


class HostDisks(OfHost):
    """Reads every block device that ever had a request, partitions left out."""

    period = TICK

    def __init__(self, files: Files) -> None:
        self._files = files
        self._whole: dict[str, bool] = {}

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment; OSError, ValueError or IndexError where the file cannot be read."""
        text = self._files.read("proc/diskstats")
        at = time.monotonic()
        for line in text.splitlines():
            words = line.split()
            name = words[2]
            if words[3] == words[7] == "0" or not self._is_whole(name):
                continue
            for metric, column, unit in COLUMNS:
                if column < len(words):
                    yield Count(Series(metric.name, "", name), int(words[column]) * unit, at, tuple(words[:3]))
            yield Level(Series(metrics.HOST_DISK_IN_FLIGHT.name, "", name), int(words[IN_FLIGHT]))

    def _is_whole(self, name: str) -> bool:
        """Whether it is no partition: only whole devices have a folder of their own in sysfs."""
        if name not in self._whole:
            self._whole[name] = self._files.exists(f"sys/block/{name}")
        return self._whole[name]
