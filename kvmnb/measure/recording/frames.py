"""A recording's frames, in the order of their time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kvmnb.measure.metrics import METRICS
from kvmnb.measure.recording.arrow import values_of
from kvmnb.measure.recording.cover import GAP, Mark
from kvmnb.measure.recording.form import TICK_PERIOD, part_of
from kvmnb.measure.recording.reading import Group, Stored
from kvmnb.measure.recording.rows import MICROSECOND, TICKING, codes_of
from kvmnb.measure.series import Event, Frame, Series

_KNOWN = {one.name for one in METRICS} | {TICK_PERIOD.name}


def frames(stored: Stored, since: float = -inf, until: float = inf) -> Iterator[Frame]:
    """The frames between two moments (seconds since the epoch), at the times at which they were read.

    What lies further back has frames of ten seconds, and of a minute: their values are means. Metrics that this
    version does not know are left out.
    """
    events = sorted((mark for mark in stored.cover.marks if mark.kind != GAP), key=lambda one: one.at)
    gaps = sorted((mark for mark in stored.cover.marks if mark.kind == GAP), key=lambda one: one.at)
    told = 0
    for together in _overlapping(stored.groups):
        if together[0].begins * MICROSECOND > until or max(one.ends for one in together) * MICROSECOND < since:
            continue
        for moment in _moments([stored.table(group) for group in together]):
            at = moment.at * MICROSECOND
            if not since <= at <= until:
                continue
            now: list[Event] = []
            while told < len(events) and events[told].at <= at + moment.stretch:
                now.append(events[told].event)
                told += 1
            missing = _gaps(gaps, at, at + moment.stretch)
            yield Frame(at, moment.values, missing, moment.period, moment.periods, tuple(now))


def _gaps(gaps: list[Mark], begins: float, ends: float) -> dict[str, str]:
    # Times on disk are whole microseconds.
    return {one.guest: one.text for one in gaps if one.at - 1e-6 <= ends and begins <= (one.until or one.at) + 1e-6}


def _overlapping(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Groups that share some time, together."""
    found: list[Group] = []
    ends = 0
    for group in groups:
        if found and group.begins > ends:
            yield found
            found = []
        ends = max(ends, group.ends) if found else group.ends
        found.append(group)
    if found:
        yield found


class _Moment(NamedTuple):
    at: int
    """Microseconds since the epoch."""
    stretch: int
    """Seconds of which these are means; 0 where they are as they were read."""
    period: float
    values: dict[Series, float]
    periods: dict[Series, float]
    """Of those with another one."""


def _moments(tables: list[Any]) -> Iterator[_Moment]:
    """Each moment of these rows."""
    known: dict[Series, int] = {}
    numbers, times, values, periods, stretches = [], [], [], [], []
    for table in tables:
        number = _numbered(table, known)
        kept = number >= 0
        numbers.append(number[kept])
        times.append(values_of(table.column("time"), np.int64)[kept])
        values.append(values_of(table.column("value"), np.float32)[kept])
        periods.append(values_of(table.column("period_seconds"), np.float32)[kept])
        stretches.append(values_of(table.column("stretch_seconds"), np.int16)[kept])
    at = np.concatenate(times)
    order = np.argsort(at, kind="stable")
    at, number, value = at[order], np.concatenate(numbers)[order], np.concatenate(values)[order]
    over, stretch = np.concatenate(periods)[order], np.concatenate(stretches)[order]
    series = list(known)
    begins = np.flatnonzero(np.diff(at, prepend=at[:1] - 1)).tolist()
    for begin, end in zip(begins, [*begins[1:], len(at)], strict=True):
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
        yield _Moment(int(at[begin]), int(stretch[begin]), period, found, others)


def _numbered(table: Any, known: dict[Series, int]) -> NDArray[np.int64]:
    """The number of each row's series; -1 where this version does not know its metric."""
    columns = codes_of(table)
    code = np.zeros(len(table), np.int64)
    for codes, words in columns:
        code = code * len(words) + codes
    _, firsts, row = np.unique(code, return_index=True, return_inverse=True)
    numbers = []
    for first in firsts:
        metric, _, uuid, part = (words[codes[first]] for codes, words in columns)
        one = Series(metric, uuid, part_of(metric, part))
        numbers.append(known.setdefault(one, len(known)) if metric in _KNOWN else -1)
    return np.array(numbers, np.int64)[row]


def bounds(stored: Stored) -> tuple[float, float]:
    """When the first and the last reading was made, in seconds since the epoch; (0, 0) where there is none."""
    if not stored.groups:
        return 0.0, 0.0
    return stored.groups[0].begins * MICROSECOND, max(one.ends for one in stored.groups) * MICROSECOND
