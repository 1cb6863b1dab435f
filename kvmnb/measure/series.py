"""What is measured at one moment: counts, and the values that a frame makes of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol


class Series(NamedTuple):
    """One line of numbers: a metric of a part of a guest (by UUID) or of the host (guest ``""``).

    What the part is the metric's label says: a vCPU's or a CPU's number, a disk, an interface; ``""`` where the
    metric has one series alone.
    """

    metric: str
    guest: str
    part: int | str


class Count(NamedTuple):
    """A counter as it was read; ``of`` names the very thread or device, so that a new one is not taken for it."""

    series: Series
    value: float
    at: float
    """When it was read, on the monotonic clock."""
    of: Hashable


class Level(NamedTuple):
    """A gauge as it was read."""

    series: Series
    value: float


Reading = Count | Level


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, marked on the time axis of every chart."""

    at: float
    """Seconds since the epoch."""
    kind: Literal["guest started", "guest stopped", "plan applied", "plan undone", "note"]
    guest: str
    """The guest's UUID; ``""`` where it is of the whole host."""
    text: str
    """A sentence for people, which may hold a guest's name."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What was read since the frame before; a series that is absent was not read, or has a gap."""

    at: float
    """Seconds since the epoch."""
    values: Mapping[Series, float]
    """Of a counter its rate per second, of a gauge its value."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Why values are missing, by guest; ``HOST``, ``GUESTS`` and ``LIBVIRT`` stand for a whole collector, and
    ``(LIBVIRT, guest)`` is written ``LIBVIRT:guest``."""
    period: float = 0.0
    """Seconds from one frame to the next, as it was meant; 0 where nobody told."""
    periods: Mapping[Series, float] = field(default_factory=dict)
    """Seconds over which a value was made, of the series in this frame that are not read at every tick."""
    events: tuple[Event, ...] = ()
    """What happened since the frame before."""

    def why_missing(self, guest: str) -> str | None:
        """The reason why a guest has no values in this frame, where one is known."""
        return self.gaps.get(guest) or self.gaps.get(GUESTS)

    def period_of(self, series: Series) -> float:
        """Seconds from one value of a series to its next, as of this frame."""
        return self.periods.get(series, self.period)


HOST = "the host"
GUESTS = "all guests"
LIBVIRT = "libvirt"


def by_libvirt(guest: str) -> str:
    """The key in a frame's gaps for what libvirt alone tells of one guest."""
    return f"{LIBVIRT}:{guest}"


class Source(Protocol):
    """Where frames come from: this host's ``/proc`` and libvirt, or a recording."""

    title_note: str
    """For the chart's title: live, or where and how it was recorded."""
    absent: str
    """Why a guest that this source does not know has no values."""
    period: float
    """Seconds from one reading to the next, as who reads means it; set by the sampler."""

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """The vCPUs that this source has of a guest; None where the guest's configuration tells."""
        ...

    def read(self) -> Frame | None:
        """What is new since the last reading; None from the first, which has no rates yet."""
        ...

    def look_at(self, guests: frozenset[str]) -> None:
        """Somebody looks at these guests now, so what is read in turn is read of them first."""
        ...

    def wake(self) -> None:
        """Readings begin: start what reads beside the tick. Without it ``read`` tells what it reads itself."""
        ...

    def rest(self) -> None:
        """Readings end: let go of threads and connections."""
        ...


class Rates:
    """Turns counts into rates per second."""

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
            if count.at > before.at and count.value >= before.value:
                rates[series] = (count.value - before.value) / (count.at - before.at)
        self._before = now
        return rates
