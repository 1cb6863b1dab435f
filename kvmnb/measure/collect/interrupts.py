"""How interrupts are spread over the host's CPUs, from ``/proc/interrupts``."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.collector import OfHost
from kvmnb.measure.metric import SLOW
from kvmnb.measure.metrics.host_cpu import HOST_INTERRUPTS
from kvmnb.measure.series import Count, Reading, Series


class Interrupts(OfHost):
    """Reads the device interrupts of each CPU."""

    period = SLOW

    def __init__(self, files: Files) -> None:
        self._files = files

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment; OSError or ValueError where the file cannot be read."""
        head, *lines = self._files.read("proc/interrupts").splitlines()
        at = time.monotonic()
        cpus = [int(word.removeprefix("CPU")) for word in head.split()]
        sums = dict.fromkeys(cpus, 0)
        for line in lines:
            name, *words = line.split(None, len(cpus) + 1)
            # An interrupt of one CPU alone, or of none, has a shorter line.
            if name.rstrip(":").isdecimal() and len(words) >= len(cpus):
                for cpu, word in zip(cpus, words, strict=False):
                    sums[cpu] += int(word)
        for cpu, total in sums.items():
            yield Count(Series(HOST_INTERRUPTS.name, "", cpu), total, at, cpu)
