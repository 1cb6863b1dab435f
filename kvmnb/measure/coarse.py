"""What lies further back than the ring: means and highest values of longer stretches."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan, nan

from kvmnb.measure.series import Series


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch of time held, of each series that had a value in it."""

    at: float
    """Its beginning, in seconds since the epoch."""
    seconds: float
    mean: Mapping[Series, float]
    highest: Mapping[Series, float]
    counts: Mapping[Series, int]
    """How many values each mean is of; empty where that was not kept."""


class Gathering:
    """Joins values of one stretch after the other."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._begun: float | None = None
        self._sums: dict[Series, float] = {}
        self._counts: dict[Series, int] = {}
        self._highest: dict[Series, float] = {}

    def add(
        self,
        at: float,
        mean: Mapping[Series, float],
        highest: Mapping[Series, float] | None = None,
        counts: Mapping[Series, int] | None = None,
    ) -> Stretch | None:
        """Take values of a moment, or of a shorter stretch; the stretch before, where this one begins a new one."""
        begun = at // self.seconds * self.seconds
        done = self._end() if self._begun is not None and begun != self._begun else None
        self._begun = begun
        tops = mean if highest is None else highest
        for series, value in mean.items():
            count = 1 if counts is None else counts[series]
            if series in self._sums:
                self._sums[series] += value * count
                self._counts[series] += count
                if tops[series] > self._highest[series]:
                    self._highest[series] = tops[series]
            else:
                self._sums[series], self._counts[series] = value * count, count
                self._highest[series] = tops[series]
        return done

    def _end(self) -> Stretch:
        assert self._begun is not None, "a stretch that ends has begun"
        mean = {series: total / self._counts[series] for series, total in self._sums.items()}
        done = Stretch(self._begun, self.seconds, mean, self._highest, self._counts)
        self._sums, self._counts, self._highest = {}, {}, {}
        return done


class Coarse:
    """Keeps the newest ``capacity`` stretches: 8 bytes for each of each series."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._count = 0
        self._seconds = 0.0
        self._times = array("d", [nan]) * capacity
        self._columns: dict[Series, tuple[array[float], array[float]]] = {}
        self._last_seen: dict[Series, int] = {}

    def append(self, stretch: Stretch) -> None:
        """Take a stretch; the oldest one falls out, and so does a series of which nothing is left."""
        place = self._count % self.capacity
        self._times[place], self._seconds = stretch.at, stretch.seconds
        for mean, highest in self._columns.values():
            mean[place] = highest[place] = nan
        for series, value in stretch.mean.items():
            if series not in self._columns:
                self._columns[series] = (array("f", [nan]) * self.capacity, array("f", [nan]) * self.capacity)
            mean, highest = self._columns[series]
            mean[place], highest[place] = value, stretch.highest[series]
            self._last_seen[series] = self._count
        self._count += 1
        for series in [one for one, seen in self._last_seen.items() if seen < self._count - self.capacity]:
            del self._columns[series], self._last_seen[series]

    def stretches(self, wanted: Callable[[Series], bool]) -> list[Stretch]:
        """All that is kept, oldest first, with the series that are wanted."""
        columns = {series: pair for series, pair in self._columns.items() if wanted(series)}
        found = []
        for number in range(max(0, self._count - self.capacity), self._count):
            place = number % self.capacity
            there = {series: pair for series, pair in columns.items() if not isnan(pair[0][place])}
            mean = {series: pair[0][place] for series, pair in there.items()}
            highest = {series: pair[1][place] for series, pair in there.items()}
            found.append(Stretch(self._times[place], self._seconds, mean, highest, {}))
        return found
