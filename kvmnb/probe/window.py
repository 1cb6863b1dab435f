"""A window as a recording keeps it: both readings, since rates are made of them."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.errors import KvmnbError
from kvmnb.probe.counters import Reading

PATH = "window.json"
SCHEMA = "kvmnb.window/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One counter: what it counts, and its values."""

    key: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One reading."""

    at: float
    counters: tuple[Counter, ...]
    unread: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """``window.json``."""

    schema: str
    readings: tuple[Moment, Moment]


def as_window(before: Reading, after: Reading) -> Window:
    """Two readings as they are kept."""
    return Window(schema=SCHEMA, readings=(_moment(before), _moment(after)))


def window_of(kept: Window) -> tuple[Reading, Reading]:
    """Two readings as they were kept; KvmnbError where no time lies between them."""
    if kept.schema != SCHEMA:
        raise KvmnbError(f"it has the form {kept.schema[:40]!r}; this version reads {SCHEMA}")
    first, second = kept.readings
    if not second.at > first.at:
        raise KvmnbError("no time lies between its readings")
    return _reading(first), _reading(second)


def _moment(reading: Reading) -> Moment:
    counters = tuple(Counter(key=key, values=values) for key, values in reading.counters.items())
    return Moment(at=reading.at, counters=counters, unread=dict(reading.unread))


def _reading(kept: Moment) -> Reading:
    return Reading(kept.at, {one.key: one.values for one in kept.counters}, kept.unread)
