"""Frames as numbers, and the sorted rows that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kvmnb.measure.recording.arrow import arrow, numbers, values_of, words
from kvmnb.measure.recording.form import GROUP_ROWS, TICK_PERIOD, WORDS, schema
from kvmnb.measure.series import Frame, Series

MICROSECOND = 1e-6
TICKING = Series(TICK_PERIOD.name, "", "")


class _Tick(NamedTuple):
    at: int
    """Microseconds since the epoch."""
    numbers: NDArray[np.int32]
    values: NDArray[np.float32]
    periods: NDArray[np.float32]


class Ticks:
    """The frames of some minutes: 12 bytes for each value."""

    def __init__(self) -> None:
        self._numbers: dict[Series, int] = {}
        self._ticks: list[_Tick] = []

    def __len__(self) -> int:
        return len(self._ticks)

    def add(self, frame: Frame) -> None:
        """Take a frame; values that are no finite numbers are left out."""
        kept = {series: value for series, value in frame.values.items() if isfinite(value)}
        kept[TICKING] = frame.period
        known = self._numbers
        for series in kept.keys() - known.keys():
            known[series] = len(known)
        numbers = np.fromiter(map(known.__getitem__, kept), np.int32, len(kept))
        values = np.fromiter(kept.values(), np.float64, len(kept)).astype(np.float32)
        periods = np.fromiter(map(frame.periods.get, kept, repeat(frame.period)), np.float32, len(kept))
        self._ticks.append(_Tick(round(frame.at / MICROSECOND), numbers, values, periods))

    def series(self) -> list[Series]:
        """Every series that has a value, as it came."""
        return list(self._numbers)

    def tables(self, names: Mapping[str, str], since: int = 0) -> Iterator[Any]:
        """The rows from tick number ``since`` on, by series and then by time, whole series in each table."""
        ticks = self._ticks[since:]
        if not ticks:
            return
        words_of = {one: _words(one, names) for one in self._numbers}
        series = sorted(words_of, key=words_of.__getitem__)
        rank = np.empty(len(series), np.int32)
        rank[[self._numbers[one] for one in series]] = np.arange(len(series), dtype=np.int32)
        keys = rank[np.concatenate([tick.numbers for tick in ticks])]
        order = np.argsort(keys, kind="stable").astype(np.int32)
        ends = np.cumsum(np.bincount(keys, minlength=len(series)))
        columns = _Columns(ticks, keys, [words_of[one] for one in series])
        begin = first = 0
        while first < len(series):
            # At least one series, and as many more as fit.
            last = max(first, int(np.searchsorted(ends, begin + GROUP_ROWS, side="right")) - 1)
            end = int(ends[last])
            if end > begin:
                yield columns.table(order[begin:end])
            begin, first = end, last + 1


class _Columns:
    """The columns of ticks, from which rows are taken."""

    def __init__(self, ticks: list[_Tick], keys: NDArray[np.int32], texts: list[tuple[str, ...]]) -> None:
        self._keys = keys
        self._at = np.array([tick.at for tick in ticks], np.int64)
        self._ends = np.cumsum([len(tick.numbers) for tick in ticks])
        self._values = np.concatenate([tick.values for tick in ticks])
        self._periods = np.concatenate([tick.periods for tick in ticks])
        self._words = [coded(list(column)) for column in zip(*texts, strict=True)]

    def table(self, rows: NDArray[np.int32]) -> Any:
        """A table of these rows."""
        pa = arrow()
        keys = self._keys[rows]
        return pa.table(
            [
                numbers(self._at[np.searchsorted(self._ends, rows, side="right")], pa.timestamp("us", tz="UTC")),
                *(words(codes[keys], known) for codes, known in self._words),
                numbers(self._values[rows], pa.float32()),
                pa.nulls(len(rows), pa.float32()),
                numbers(np.ones(len(rows), np.int32), pa.int32()),
                numbers(self._periods[rows], pa.float32()),
                numbers(np.zeros(len(rows), np.int16), pa.int16()),
            ],
            schema=schema(),
        )


def coded(texts: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Texts as the number of each, and each text once."""
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(text, len(known)) for text in texts], np.int32)
    return codes, list(known)


def _words(series: Series, names: Mapping[str, str]) -> tuple[str, ...]:
    """A series' texts as they are kept, by which rows are sorted."""
    texts = (series.metric, names.get(series.guest, ""), series.guest, str(series.part))
    return tuple(text.encode("utf-8", "replace").decode() for text in texts)


def decoded(table: Any, name: str) -> tuple[NDArray[np.int32], list[str]]:
    """A column of text of one table: its codes and its words."""
    column = table.column(name).unify_dictionaries().combine_chunks()
    return values_of(column.indices, np.int32), column.dictionary.to_pylist()


def codes_of(table: Any) -> list[tuple[NDArray[np.int32], list[str]]]:
    """All columns of text of one table."""
    return [decoded(table, name) for name in WORDS]
