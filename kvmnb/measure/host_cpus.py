"""How busy the host's CPUs are, from ``/proc/stat``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.series import Count, Series

# The columns after cpu<N>: user nice system idle iowait irq softirq steal guest guest_nice. The time
# of guests is inside user and nice already.
BUSY_COLUMNS = (0, 1, 2, 5, 6)


class HostCpus:
    """Reads the busy time of every online host CPU."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")

    def collect(self) -> Iterator[Count]:
        """The counters of this moment; OSError or ValueError where the file cannot be read."""
        text = self._files.read("proc/stat")
        at = time.monotonic()
        for line in text.splitlines():
            name, *columns = line.split()
            if not name.startswith("cpu"):
                break
            if name == "cpu":
                continue
            ticks = sum(int(columns[column]) for column in BUSY_COLUMNS)
            series = Series(HOST_CPU_BUSY.name, "", int(name[3:]))
            yield Count(series, ticks / self._ticks_per_second, at, name)
