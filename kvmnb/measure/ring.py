"""The last frames of a sampler, as columns of bounded length."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import isnan, nan

from kvmnb.measure.series import Frame, Series


class Ring:
    """Keeps the newest ``capacity`` frames: 4 bytes for each value of each series."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._count = 0
        self._times = array("d", [nan]) * capacity
        self._gaps: list[dict[str, str]] = [{}] * capacity
        self._columns: dict[Series, array[float]] = {}
        self._last_seen: dict[Series, int] = {}

    def __len__(self) -> int:
        return min(self._count, self.capacity)

    def append(self, frame: Frame) -> None:
        """Take a frame; the oldest one falls out, and so does a series of which nothing is left."""
        place = self._count % self.capacity
        self._times[place] = frame.at
        self._gaps[place] = dict(frame.gaps)
        for series, column in self._columns.items():
            column[place] = frame.values.get(series, nan)
        for series, value in frame.values.items():
            if series not in self._columns:
                self._columns[series] = array("f", [nan]) * self.capacity
                self._columns[series][place] = value
            self._last_seen[series] = self._count
        self._count += 1
        gone = [series for series, seen in self._last_seen.items() if seen < self._count - self.capacity]
        for series in gone:
            del self._columns[series], self._last_seen[series]

    def frames(self, wanted: Callable[[Series], bool], last: int) -> list[Frame]:
        """The newest ``last`` frames, oldest first, with the series that are wanted."""
        columns = {series: column for series, column in self._columns.items() if wanted(series)}
        found = []
        for number in range(max(0, self._count - min(last, self.capacity)), self._count):
            place = number % self.capacity
            values = {series: column[place] for series, column in columns.items() if not isnan(column[place])}
            found.append(Frame(self._times[place], values, self._gaps[place]))
        return found
