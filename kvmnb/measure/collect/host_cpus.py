"""What the host's CPUs do, from ``/proc/stat``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.collector import OfHost
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics import host_cpu as metrics
from kvmnb.measure.series import Count, Level, Reading, Series

# The columns after cpu<N>: user nice system idle iowait irq softirq steal guest guest_nice. The time
# of guests is inside user and nice already.
COLUMNS = (
    (metrics.HOST_CPU_BUSY, (0, 1, 2, 5, 6)),
    (metrics.HOST_CPU_USER, (0, 1)),
    (metrics.HOST_CPU_GUEST, (8, 9)),
    (metrics.HOST_CPU_SYSTEM, (2,)),
    (metrics.HOST_CPU_IOWAIT, (4,)),
    (metrics.HOST_CPU_IRQ, (5,)),
    (metrics.HOST_CPU_SOFTIRQ, (6,)),
    (metrics.HOST_CPU_STEAL, (7,)),
    (metrics.HOST_CPU_IDLE, (3,)),
)


class HostCpus(OfHost):
    """Reads the time of every online host CPU by what it was spent on."""

    period = TICK

    def __init__(self, files: Files) -> None:
        self._files = files
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment; OSError or ValueError where the file cannot be read."""
        text = self._files.read("proc/stat")
        at = time.monotonic()
        for line in text.splitlines():
            name, *columns = line.split()
            if name == "ctxt":
                yield Count(Series(metrics.HOST_SWITCHES.name, "", ""), int(columns[0]), at, name)
            elif name == "procs_running":
                yield Level(Series(metrics.HOST_RUNNABLE.name, "", ""), int(columns[0]))
            elif name.startswith("cpu") and name != "cpu":
                yield from self._cpu(name, columns, at)

    def _cpu(self, name: str, columns: list[str], at: float) -> Iterator[Count]:
        for metric, chosen in COLUMNS:
            ticks = sum(int(columns[column]) for column in chosen if column < len(columns))
            yield Count(Series(metric.name, "", int(name[3:])), ticks / self._ticks_per_second, at, name)
