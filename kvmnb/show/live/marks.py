"""What is marked on the time axis of a live chart: events, and gaps with their reasons."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from kvmnb.measure.series import Event

MOST_MARKS = 50


@dataclass(slots=True)
class Gap:
    """A time without values; it is open while it lasts."""

    begin: float
    end: float
    why: str
    open: bool = True


class Marks:
    """The newest events and gaps of one chart; bounded."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=MOST_MARKS)
        self.gaps: deque[Gap] = deque(maxlen=MOST_MARKS)

    def happened(self, events: tuple[Event, ...]) -> bool:
        """Take events; whether there were any."""
        self.events.extend(events)
        return bool(events)

    def missing(self, at: float, why: str | None) -> bool:
        """At this moment values were missing, for this reason, or were not; whether a gap began or ended."""
        last = self.gaps[-1] if self.gaps and self.gaps[-1].open else None
        if last is not None:
            last.end = at
            if last.why == why:
                return False
            last.open = False
        if why is not None:
            self.gaps.append(Gap(at, at, why))
        return last is not None or why is not None

    def message(self) -> dict[str, Any]:
        """All marks, for the page."""
        return {
            "events": [[round(one.at, 3), one.text] for one in self.events],
            "gaps": [[round(one.begin, 3), None if one.open else round(one.end, 3), one.why] for one in self.gaps],
        }
