"""Rows of longer stretches: of each series its mean, its highest value, and of how many values they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kvmnb.measure.recording.arrow import arrow, numbers, values_of, words
from kvmnb.measure.recording.form import WORDS, schema
from kvmnb.measure.recording.rows import coded, codes_of

SECOND_US = 1_000_000

Name = tuple[str, ...]
"""A series' texts, in the order of ``WORDS``."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of means, sorted by series and time."""

    names: list[Name]
    """Of each series, sorted."""
    series: NDArray[np.int32]
    """Of each row the number of its series."""
    at: NDArray[np.int64]
    """Microseconds since the epoch."""
    value: NDArray[np.float32]
    highest: NDArray[np.float32]
    count: NDArray[np.int32]
    period: NDArray[np.float32]

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """All columns but the series."""
        return self.at, self.value, self.highest, self.count, self.period

    def slice(self, begin: int, end: int) -> Rows:
        """Some of the rows, with the names of all."""
        return Rows(self.names, self.series[begin:end], *(column[begin:end] for column in self.columns))

    def table(self, stretch: int) -> Any:
        """The same as a table."""
        pa = arrow()
        texts = [coded([name[place] for name in self.names]) for place in range(len(WORDS))]
        return pa.table(
            [
                numbers(self.at, pa.timestamp("us", tz="UTC")),
                *(words(codes[self.series], known) for codes, known in texts),
                numbers(self.value, pa.float32()),
                numbers(self.highest, pa.float32()),
                numbers(self.count, pa.int32()),
                numbers(self.period, pa.float32()),
                numbers(np.full(len(self.at), stretch, np.int16), pa.int16()),
            ],
            schema=schema(),
        )


def rows_of(table: Any) -> Rows:
    """The rows of a table that is sorted by series and time."""
    texts = codes_of(table)
    begins = np.zeros(len(table), bool)
    begins[:1] = True
    for codes, _ in texts:
        begins[1:] |= codes[1:] != codes[:-1]
    firsts = np.flatnonzero(begins)
    names = list(zip(*([known[code] for code in codes[firsts]] for codes, known in texts), strict=True))
    value = values_of(table.column("value"), np.float32)
    highest = values_of(table.column("highest"), np.float32)
    return Rows(
        names,
        np.cumsum(begins, dtype=np.int32) - 1,
        values_of(table.column("time"), np.int64),
        value,
        np.where(np.isnan(highest), value, highest),
        values_of(table.column("count"), np.int32),
        values_of(table.column("period_seconds"), np.float32),
    )


def coarser(rows: Rows, seconds: int) -> Rows:
    """Rows of stretches this long, which begin at multiples of it; rows that are so already stay, one for each."""
    if not len(rows.at):
        return rows
    stretch = rows.at // (seconds * SECOND_US)
    begins = np.ones(len(stretch), bool)
    begins[1:] = (stretch[1:] != stretch[:-1]) | (rows.series[1:] != rows.series[:-1])
    starts = np.flatnonzero(begins)
    sums = np.add.reduceat(rows.value.astype(np.float64) * rows.count, starts)
    count = np.add.reduceat(rows.count, starts)
    period = np.add.reduceat(rows.period.astype(np.float64), starts) / np.diff(np.append(starts, len(stretch)))
    return Rows(
        rows.names,
        rows.series[starts],
        stretch[starts] * (seconds * SECOND_US),
        (sums / count).astype(np.float32),
        np.maximum.reduceat(rows.highest, starts),
        count.astype(np.int32),
        np.maximum(period, seconds).astype(np.float32),
    )
