"""What is measured at one moment: counters, and the rates between two readings of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Series(NamedTuple):
    """One line of numbers: a metric of one vCPU of a guest (by UUID) or of one host CPU (guest ``""``)."""

    metric: str
    guest: str
    number: int


class Count(NamedTuple):
    """A counter as it was read; ``of`` names the very thread, so that a new one is not taken for it."""

    series: Series
    seconds: float
    at: float
    """When it was read, on the monotonic clock."""
    of: Hashable


@dataclass(frozen=True, slots=True)
class Frame:
    """The rates of one tick; a series that is absent has a gap."""

    at: float
    """Seconds since the epoch."""
    values: Mapping[Series, float]
    """Seconds per second."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Why values are missing, by guest; ``HOST`` and ``GUESTS`` stand for a whole collector."""

    def why_missing(self, guest: str) -> str | None:
        """The reason why a guest has no values in this frame, where one is known."""
        return self.gaps.get(guest) or self.gaps.get(GUESTS)


HOST = "the host"
GUESTS = "all guests"


class Source(Protocol):
    """Where frames come from: this host's ``/proc``, or a recording."""

    title_note: str
    """For the chart's title: live, or where and how it was recorded."""
    absent: str
    """Why a guest that this source does not know has no values."""

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """The vCPUs that this source has of a guest; None where the guest's configuration tells."""
        ...

    def read(self) -> Frame | None:
        """The rates since the last reading; None from the first, which has no rates yet."""
        ...


class Rates:
    """Turns counters into rates per second."""

    def __init__(self) -> None:
        self._before: dict[Series, Count] = {}

    def update(self, counts: Iterable[Count]) -> dict[Series, float]:
        """The rates since the last update, of the series that are in both.

        A counter of another thread, or one that fell, starts anew and has no rate this time.
        """
        now = {count.series: count for count in counts}
        rates: dict[Series, float] = {}
        for series, count in now.items():
            before = self._before.get(series)
            if before is None or before.of != count.of:
                continue
            if count.at > before.at and count.seconds >= before.seconds:
                rates[series] = (count.seconds - before.seconds) / (count.at - before.at)
        self._before = now
        return rates
