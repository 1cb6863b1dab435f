"""Pressure on the host's resources, from ``/proc/pressure``."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.collector import OfHost
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics.pressure import HOST_PRESSURE_FULL, HOST_PRESSURE_SOME
from kvmnb.measure.series import Count, Reading, Series

RESOURCES = ("cpu", "memory", "io")
LINES = {"some": HOST_PRESSURE_SOME, "full": HOST_PRESSURE_FULL}


class Pressure(OfHost):
    """Reads how long work stood still; a kernel that does not count it (``psi=0``) has no such series."""

    period = TICK

    def __init__(self, files: Files) -> None:
        self._files = files

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment."""
        for resource in RESOURCES:
            try:
                text = self._files.read(f"proc/pressure/{resource}")
            except OSError:
                # Without the file there is no such counter; with psi=0 it is there and cannot be read.
                continue
            at = time.monotonic()
            for word, total in re.findall(r"^(some|full) .*total=(\d+)$", text, re.MULTILINE):
                yield Count(Series(LINES[word].name, "", resource), int(total) / 1e6, at, resource)
