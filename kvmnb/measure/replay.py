"""Recorded series as a source; the short ones of the demo host are a text that is played in a loop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kvmnb.core import codec
from kvmnb.core.errors import SourceError
from kvmnb.measure.metrics import METRICS
from kvmnb.measure.metrics.vcpu import VCPU_RUN
from kvmnb.measure.series import GUESTS, HOST, Frame, Series

SCHEMA = "kvmnb.series/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One series of a recording; the guest is named, since its UUID is another machine's.

    ``number`` is the series' part, which is no number of a disk or an interface.
    """

    metric: str
    guest: str
    number: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The first line of a recording of series."""

    schema: str
    made_at: str
    note: str
    """Where and how it was made, for the reader: it ends a title."""
    period_seconds: float
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording of series: rates per second, a row for each tick, None where there was a gap."""

    cover: Cover
    rows: tuple[tuple[float | None, ...], ...]


def read_series(text: str, what: str) -> Recorded:
    """Decode a recording: its cover, then one line a row. SourceError says what is wrong with it."""
    head, *lines = text.splitlines() or [""]
    cover = codec.from_json(head, Cover, f"the first line of {what}")
    if cover.schema != SCHEMA:
        raise SourceError(f"{what} has the form {cover.schema!r}; this version reads {SCHEMA}")
    known = {metric.name for metric in METRICS}
    unknown = sorted({column.metric for column in cover.columns} - known)
    if unknown:
        raise SourceError(f"{what} holds {unknown[0]!r}, which is no metric of this version")
    rows = []
    for number, line in enumerate(lines, start=2):
        row = codec.from_json(line, list[float | None], f"line {number} of {what}")
        if len(row) != len(cover.columns):
            raise SourceError(f"line {number} of {what} holds {len(row)} values for {len(cover.columns)} columns")
        rows.append(tuple(row))
    if not rows:
        raise SourceError(f"{what} holds no rows")
    return Recorded(cover, tuple(rows))


def write_series(recorded: Recorded) -> str:
    """The text of a recording, rates to four digits after the point."""
    lines = [codec.to_json(recorded.cover)]
    for row in recorded.rows:
        lines.append(codec.to_json([None if value is None else round(value, 4) for value in row]))
    return "\n".join(lines) + "\n"


def recorded_from(
    frames: Iterable[Frame], names: Mapping[str, str], *, note: str, made_at: str, period: float
) -> Recorded:
    """A recording of the host and of the guests named, by UUID, in ``names``."""
    kept = list(frames)
    found = {series for frame in kept for series in frame.values if not series.guest or series.guest in names}
    order = sorted(found, key=lambda one: (names.get(one.guest, ""), _rank(one.part), one.metric))
    columns = tuple(Column(metric=one.metric, guest=names.get(one.guest, ""), number=one.part) for one in order)
    cover = Cover(schema=SCHEMA, made_at=made_at, note=note, period_seconds=period, columns=columns)
    return Recorded(cover, tuple(tuple(frame.values.get(one) for one in order) for frame in kept))


class Replay:
    """A source of series that were recorded."""

    title_note: str
    absent: str
    period: float
    period_seconds: float
    """Seconds from one reading to the next, as it was recorded."""
    over = False
    """Whether the last reading was given, after which there is none."""

    def look_at(self, guests: frozenset[str]) -> None:
        """Nothing: a recording holds what it holds."""

    def wake(self) -> None:
        """Nothing: a replay has no threads."""

    def rest(self) -> None:
        """Nothing: a replay has no threads."""

    @property
    def rows(self) -> int:
        """How many readings ``recorded`` tells."""
        raise NotImplementedError

    def recorded(self) -> tuple[Mapping[Series, float], ...]:
        """What was recorded, a mapping for each reading; of a long recording some minutes of it."""
        raise NotImplementedError

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """The vCPUs that were recorded of a guest."""
        raise NotImplementedError

    def read(self) -> Frame | None:
        """The next reading; None where there is none any more."""
        raise NotImplementedError


class Loop(Replay):
    """Plays a short recording from its start as if it were measured now, one row a tick, again and again."""

    def __init__(self, recorded: Recorded, uuids: Mapping[str, str]) -> None:
        self.title_note = f"{recorded.cover.note}, replayed"
        self.absent = "the recorded series do not hold this guest"
        self.period_seconds = recorded.cover.period_seconds
        self._frames = tuple(_values(row, recorded.cover.columns, uuids) for row in recorded.rows)
        self._next = 0
        self.period = self.period_seconds

    @property
    def rows(self) -> int:
        """How many readings there are."""
        return len(self._frames)

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """The vCPUs that were recorded of a guest."""
        return tuple(
            sorted(
                {
                    series.part
                    for values in self._frames
                    for series in values
                    if series.guest == guest and series.metric == VCPU_RUN.name and isinstance(series.part, int)
                }
            )
        )

    def recorded(self) -> tuple[Mapping[Series, float], ...]:
        """All recorded rates, a mapping for each row."""
        return self._frames

    def read(self) -> Frame | None:
        """The next row; between the last and the first one a gap, since no line joins them."""
        if self._next == self.rows:
            self._next = 0
            again = "the recording starts again"
            return Frame(time.time(), {}, {GUESTS: again, HOST: again}, self.period)
        self._next += 1
        return Frame(time.time(), self._frames[self._next - 1], period=self.period)


def _rank(part: int | str) -> tuple[int, str]:
    """Numbers by their size, then names."""
    return (part, "") if isinstance(part, int) else (-1, part)


def _values(
    row: tuple[float | None, ...], columns: tuple[Column, ...], uuids: Mapping[str, str]
) -> dict[Series, float]:
    """The row's rates under this machine's UUIDs; guests that it does not have are left out."""
    found = {}
    for value, column in zip(row, columns, strict=True):
        guest = uuids.get(column.guest) if column.guest else ""
        if value is not None and math.isfinite(value) and guest is not None:
            found[Series(column.metric, guest, column.number)] = value
    return found
