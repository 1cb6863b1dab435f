"""Numbers of many series in the order of time, kept small: all but the newest stand in compressed blocks.

Much of what is measured is 0, stands still or is read at every tenth tick only, so a value takes some two bytes.
"""

from __future__ import annotations

import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan, nan

from kvmnb.measure.series import Series

BLOCK = 60
"""Moments in a block; what is compressed at once."""
WIDTH = 4
"""Bytes of a value: seven digits."""

Moment = tuple[float, dict[Series, float]]


@dataclass(frozen=True, slots=True)
class _Block:
    times: array[float]
    series: tuple[Series, ...]
    packed: bytes

    def columns(self, wanted: Callable[[Series], bool]) -> dict[Series, array[float]]:
        """The values of the series that are wanted."""
        chosen = [(number, one) for number, one in enumerate(self.series) if wanted(one)]
        if not chosen:
            return {}
        raw = _joined(zlib.decompress(self.packed))
        size = WIDTH * len(self.times)
        return {one: array("f", raw[number * size : (number + 1) * size]) for number, one in chosen}


class Blocks:
    """Keeps at least the newest ``capacity`` moments, and less than a block more."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._length = min(BLOCK, capacity)
        self._count = 0
        """Of all moments that came."""
        self._closed: deque[_Block] = deque()
        self._open()

    def __len__(self) -> int:
        return min(self._count, self.capacity)

    def append(self, at: float, values: Mapping[Series, float]) -> None:
        """Take the values of a moment."""
        place = len(self._times)
        self._times.append(at)
        for series, value in values.items():
            column = self._columns.get(series)
            if column is None:
                column = self._columns[series] = array("f", [nan]) * self._length
            column[place] = value
        self._count += 1
        if len(self._times) == self._length:
            self._close()

    def moments(self, wanted: Callable[[Series], bool], last: int) -> list[Moment]:
        """The newest ``last`` moments, oldest first, with the series that are wanted."""
        left = min(last, len(self))
        found: list[list[Moment]] = []
        for times, columns in self._newest_first(wanted):
            if left <= 0:
                break
            begin = max(0, len(times) - left)
            found.append([(times[place], _at(columns, place)) for place in range(begin, len(times))])
            left -= len(times) - begin
        return [moment for part in reversed(found) for moment in part]

    @property
    def size(self) -> int:
        """Bytes that the values take."""
        return sum(len(block.packed) for block in self._closed) + WIDTH * self._length * len(self._columns)

    def _newest_first(
        self, wanted: Callable[[Series], bool]
    ) -> Iterator[tuple[array[float], Mapping[Series, array[float]]]]:
        yield self._times, {series: column for series, column in self._columns.items() if wanted(series)}
        for block in reversed(self._closed):
            yield block.times, block.columns(wanted)

    def _open(self) -> None:
        self._times = array("d")
        self._columns: dict[Series, array[float]] = {}

    def _close(self) -> None:
        raw = b"".join(column.tobytes() for column in self._columns.values())
        self._closed.append(_Block(self._times, tuple(self._columns), zlib.compress(_apart(raw), 1)))
        self._open()
        while (len(self._closed) - 1) * self._length >= self.capacity:
            self._closed.popleft()


def _at(columns: Mapping[Series, array[float]], place: int) -> dict[Series, float]:
    return {series: column[place] for series, column in columns.items() if not isnan(column[place])}


def _apart(raw: bytes) -> bytes:
    """The first bytes of all values, then the second ones, ...: alike bytes beside each other compress better."""
    return b"".join(raw[place::WIDTH] for place in range(WIDTH))


def _joined(apart: bytes) -> bytes:
    """The inverse of ``_apart``."""
    count = len(apart) // WIDTH
    raw = bytearray(len(apart))
    for place in range(WIDTH):
        raw[place::WIDTH] = apart[place * count : (place + 1) * count]
    return bytes(raw)
