"""A recording's frames, in the order of their time."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kvmnb.measure.metrics import METRICS
from kvmnb.measure.recording.arrow import values_of
from kvmnb.measure.recording.cover import GAP, LATEST, Mark
from kvmnb.measure.recording.form import TICK_PERIOD, part_of
from kvmnb.measure.recording.reading import Group, Run, Stored, told
from kvmnb.measure.recording.rows import MICROSECOND, TICKING, codes_of
from kvmnb.measure.series import Event, Frame, Series

MOST_OF_A_MOMENT = 500_000
"""A host of 1000 guests has some 80 000 series."""

_KNOWN = {one.name for one in METRICS} | {TICK_PERIOD.name}


def frames(stored: Stored, since: float = -inf, until: float = inf) -> Iterator[Frame]:
    """The frames between two moments (seconds since the epoch), at the times at which they were read.

    What lies further back has frames of ten seconds, and of a minute: their values are means. Metrics that this
    version does not know are left out.
    """
    events = sorted((mark for mark in stored.cover.marks if mark.kind != GAP), key=lambda one: one.at)
    gaps = sorted((mark for mark in stored.cover.marks if mark.kind == GAP), key=lambda one: one.at)
    seen = 0
    with told(stored.path):
        for moment in _by_time(stored, since, until):
            at = moment.at * MICROSECOND
            if not since <= at <= until:
                continue
            now: list[Event] = []
            while seen < len(events) and events[seen].at <= at + moment.stretch:
                now.append(events[seen].event)
                seen += 1
            missing = _gaps(gaps, at, at + moment.stretch)
            yield Frame(at, moment.values, missing, moment.period, moment.periods, tuple(now))


def _gaps(gaps: list[Mark], begins: float, ends: float) -> dict[str, str]:
    # Times on disk are whole microseconds.
    return {one.guest: one.text for one in gaps if one.at - 1e-6 <= ends and begins <= (one.until or one.at) + 1e-6}


class _Moment(NamedTuple):
    at: int
    """Microseconds since the epoch."""
    stretch: int
    """Seconds of which these are means; 0 where they are as they were read."""
    period: float
    values: dict[Series, float]
    periods: dict[Series, float]
    """Of those with another one."""


def _by_time(stored: Stored, since: float, until: float) -> Iterator[_Moment]:
    """The moments of all runs that reach into this time, each once."""
    runs = [one for one in stored.runs() if one.begins * MICROSECOND <= until and since <= one.ends * MICROSECOND]
    # Those that are read now: the next moment of each, its number, and the later ones.
    now: list[tuple[tuple[int, int], int, _Moment, Iterator[_Moment]]] = []
    for number, run in enumerate([*runs, None]):
        while now and (run is None or now[0][0][0] < run.begins):
            yield _next(now)
        if run is not None:
            _push(now, number, _moments(stored, run))


def _next(now: list[tuple[tuple[int, int], int, _Moment, Iterator[_Moment]]]) -> _Moment:
    """The first moment of all; where several runs tell of it, what they tell together."""
    _, number, moment, later = heappop(now)
    _push(now, number, later)
    while now and now[0][0] == (moment.at, moment.stretch) and moment.values.keys().isdisjoint(now[0][2].values):
        _, number, more, later = heappop(now)
        _push(now, number, later)
        moment = moment._replace(
            period=moment.period or more.period,
            values={**more.values, **moment.values},
            periods={**more.periods, **moment.periods},
        )
    return moment


def _push(
    now: list[tuple[tuple[int, int], int, _Moment, Iterator[_Moment]]], number: int, later: Iterator[_Moment]
) -> None:
    moment = next(later, None)
    if moment is not None:
        heappush(now, ((moment.at, moment.stretch), number, moment, later))


def _moments(stored: Stored, run: Run) -> Iterator[_Moment]:
    """Each moment of these groups."""
    known: dict[Series, int] = {}
    columns = [_columns(stored.table(group), group, known) for group in run.groups]
    at, number, value, over = (np.concatenate(column) for column in zip(*columns, strict=True))
    del columns
    order = np.argsort(at, kind="stable")
    at, number, value, over = (column[order] for column in (at, number, value, over))
    series = list(known)
    begins = np.flatnonzero(np.diff(at, prepend=at[:1] - 1)).tolist()
    for begin, end in zip(begins, [*begins[1:], len(at)], strict=True):
        if end - begin > MOST_OF_A_MOMENT:
            raise ValueError(f"it holds {end - begin} values of one moment; at most {MOST_OF_A_MOMENT} are read")
        found: dict[Series, float] = {}
        spans: dict[Series, float] = {}
        rows = (number[begin:end].tolist(), value[begin:end].tolist(), over[begin:end].tolist())
        for one, what, span in zip(*rows, strict=True):
            if isfinite(what):
                found[series[one]] = what
                # Seven digits are kept.
                spans[series[one]] = round(span, 6)
        period = spans.get(TICKING, 0.0)
        found.pop(TICKING, None)
        others = {one: span for one, span in spans.items() if span != period and one != TICKING}
        yield _Moment(int(at[begin]), run.groups[0].stretch, period, found, others)


def _columns(table: Any, group: Group, known: dict[Series, int]) -> tuple[NDArray[Any], ...]:
    """Of each row when it was read, the number of its series, its value, and its period; of known metrics alone."""
    number = _numbered(table, known)
    kept = number >= 0
    at = values_of(table.column("time"), np.int64)
    if len(at) and not group.begins <= at.min() <= at.max() <= group.ends:
        raise ValueError("its rows are of other times than it says")
    over = values_of(table.column("period_seconds"), np.float32)[kept]
    # A file may hold what is no time.
    over = np.where((over > 0) & (over <= LATEST), over, np.float32(0))
    return at[kept], number[kept], values_of(table.column("value"), np.float32)[kept], over


def _numbered(table: Any, known: dict[Series, int]) -> NDArray[np.int32]:
    """The number of each row's series; -1 where this version does not know its metric."""
    texts = codes_of(table)
    begins = np.ones(len(table), bool)
    if len(table):
        begins[1:] = np.any([codes[1:] != codes[:-1] for codes, _ in texts], axis=0)
    numbers = []
    for first in np.flatnonzero(begins):
        metric, _, uuid, part = (words[codes[first]] for codes, words in texts)
        one = Series(metric, uuid, part_of(metric, part))
        numbers.append(known.setdefault(one, len(known)) if metric in _KNOWN else -1)
    return np.repeat(np.array(numbers, np.int32), np.diff(np.append(np.flatnonzero(begins), len(table))))


def bounds(stored: Stored) -> tuple[float, float]:
    """When the first and the last reading was made, in seconds since the epoch; (0, 0) where there is none."""
    if not stored.groups:
        return 0.0, 0.0
    begins, ends = min(one.begins for one in stored.groups), max(one.ends for one in stored.groups)
    return begins * MICROSECOND, ends * MICROSECOND
