"""What a pattern may ask of a window: series by metric and guest; what is missing raises ``NotSeen``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.measure.metric import Metric
from kvmnb.measure.moment import QUOTA
from kvmnb.measure.neighbours import Matrix, worst
from kvmnb.measure.series import GUESTS, HOST, LIBVIRT, by_libvirt
from kvmnb.measure.window import Span, Window


@dataclass(frozen=True, slots=True)
class Signals:
    """One window, the guests that ran in it, and what facts add."""

    window: Window
    guests: Mapping[str, str]
    """The running guests' names, by UUID."""
    below: Mapping[tuple[str, str], str | Gap] = field(default_factory=dict)
    """The host's block device below a guest's disk, by the guest's UUID and the disk's target."""
    neighbours: Matrix | Gap | None = None
    """Who takes whose CPU; a gap where that cannot be told, None where nobody looked."""

    def parts(self, metric: Metric, guest: str = "") -> dict[int | str, Span]:
        """Every series of a metric, of the host or of one guest, by its part; NotSeen where there is none."""
        found = self.some(metric, guest)
        if not found:
            raise NotSeen(self._gap(metric, guest))
        return found

    def some(self, metric: Metric, guest: str = "") -> dict[int | str, Span]:
        """The same of a metric that is rightly absent where there is nothing to count; empty then."""
        return {
            series.part: span
            for series, span in sorted(self.window.spans.items(), key=lambda one: str(one[0].part).rjust(9))
            if series.metric == metric.name and series.guest == guest
        }

    def one(self, metric: Metric, guest: str = "", part: int | str = "") -> Span:
        """The series of one part; NotSeen where it is missing."""
        found = self.parts(metric, guest).get(part)
        if found is None:
            raise NotSeen(Gap(metric.name, f"it has no series of {part!r} in this window"))
        return found

    def mean(self, metric: Metric, guest: str = "") -> float:
        """The mean over time and over all parts."""
        found = self.parts(metric, guest).values()
        return sum(one.mean for one in found) / len(found)

    def total(self, metric: Metric, guest: str = "") -> float:
        """The mean over time of all parts together."""
        return sum(one.mean for one in self.parts(metric, guest).values())

    def device_below(self, guest: str, disk: str) -> str:
        """The host's block device below a guest's disk; NotSeen where it is not known."""
        found = self.below.get((guest, disk))
        if found is None:
            raise NotSeen(Gap("block device", f"the facts do not tell on which block device of the host {disk} lies"))
        if isinstance(found, Gap):
            raise NotSeen(found)
        return found

    def takers(self, guest: str) -> tuple[str, ...]:
        """Who takes this guest's CPUs, its own quota apart, in words, most first; empty where it was not looked at."""
        found = self.neighbours.of(guest) if isinstance(self.neighbours, Matrix) else ()
        takers = worst([one for one in found if one[0] != QUOTA], self.guests, guest)
        return tuple(f"{name}: {rate:.2f} s/s" for name, rate in takers)

    def _gap(self, metric: Metric, guest: str) -> Gap:
        keys = (guest, by_libvirt(guest), GUESTS, LIBVIRT) if guest else (HOST,)
        known = next((self.window.gaps[key] for key in keys if key in self.window.gaps), None)
        return Gap(metric.name, known or f"no value of it was read in this window ({metric.source})")
