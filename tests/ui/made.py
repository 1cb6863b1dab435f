"""A source of made-up series, for measuring what drawing many of them costs."""

from __future__ import annotations

import math
import time

from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.series import Frame, Series


class Made:
    """So many guests with one vCPU each, whose lines are waves."""

    title_note = "made up"
    absent = "it was not made up"

    def __init__(self, guests: int) -> None:
        self.period = 1.0
        self.names = {str(number): f"guest{number}" for number in range(guests)}
        self._ticks = 0

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        return (0,)

    def look_at(self, guests: frozenset[str]) -> None:
        pass

    def wake(self) -> None:
        pass

    def rest(self) -> None:
        pass

    def read(self) -> Frame:
        self._ticks += 1
        values = {}
        for number, uuid in enumerate(self.names):
            wave = (1 + math.sin(self._ticks / 9 + number)) / 2
            values[Series(VCPU_RUN.name, uuid, 0)] = wave
            values[Series(VCPU_RUN_DELAY.name, uuid, 0)] = wave / (1 + number)
        return Frame(time.time(), values, period=self.period)
