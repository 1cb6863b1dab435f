"""What every collector has, and the clock that reads it when it is due."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from kvmnb.measure.metric import TICK
from kvmnb.measure.series import HOST, Count, Level, Rates, Reading, Series

# A reading takes at most this share of its period: one that takes longer is made less often.
MOST_SHARE = 0.02
# Timers wake a little early or late; a reading that is due within this share of a tick is made now.
SLACK = 0.5


class Collector(Protocol):
    """Reads one source, or a few that belong together."""

    subject: str
    """Whose gap it is where the source cannot be read: ``HOST`` or ``GUESTS``."""
    period: float
    """Seconds from one reading to the next, if ticks are not longer; ``TICK``: at every tick."""

    @property
    def gaps(self) -> Mapping[str, str]:
        """Why the last reading left out a guest, by UUID."""
        ...

    def collect(self) -> Iterator[Reading]:
        """What the source holds at this moment; OSError, ValueError or IndexError where it cannot be read."""
        ...


@dataclass(slots=True)
class Batch:
    """What was read for one frame."""

    values: dict[Series, float] = field(default_factory=dict)
    periods: dict[Series, float] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)


class Clocked:
    """A collector with its own clock and its own rates."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.period = collector.period
        """Seconds from one reading to the next as it is: longer than asked for where a reading is dear."""
        self._rates = Rates()
        self._due = float("-inf")
        self._read_at: float | None = None
        self._gaps: Mapping[str, str] = {}

    def read(self, into: Batch, tick: float) -> None:
        """Read the collector if it is due; until it is due again its gaps stay."""
        now = time.monotonic()
        # What is read at every tick stays so whatever it costs: the tick is the reader's choice.
        every_tick = self.collector.period <= TICK
        if every_tick or now >= self._due - SLACK * tick:
            self._gaps = {}
            try:
                values = self._collected()
            except (OSError, ValueError, IndexError) as problem:
                self._gaps = {self.collector.subject: f"{self.collector.subject} cannot be read: {problem}"}
                values = {}
            passed = None if self._read_at is None else now - self._read_at
            if passed is not None and not every_tick and self.collector.period > tick:
                into.periods.update(dict.fromkeys(values, passed))
            into.values.update(values)
            self._read_at = now
            self.period = max(self.collector.period, (time.monotonic() - now) / MOST_SHARE)
            self._due = now + self.period
        into.gaps.update({key: why for key, why in self._gaps.items() if key not in into.gaps})

    def _collected(self) -> dict[Series, float]:
        counts: list[Count] = []
        values: dict[Series, float] = {}
        for reading in self.collector.collect():
            if isinstance(reading, Level):
                values[reading.series] = reading.value
            else:
                counts.append(reading)
        self._gaps = dict(self.collector.gaps)
        values.update(self._rates.update(counts))
        return values


class OfHost:
    """A collector of the host, of which nothing but the whole can be missing."""

    subject = HOST
    gaps: Mapping[str, str] = MappingProxyType({})
