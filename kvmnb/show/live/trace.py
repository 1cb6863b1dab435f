"""The lines of a live chart: what each draws, where, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.series import Series

# With more vCPUs than this, a line for each can no longer be told apart: mean and highest are drawn.
MOST_LINES = 12

# Colours that people with any colour vision tell apart, with a contrast of at least 3 to 1 against a
# white and against a dark page.
COLOURS = (
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#f5a623"),
    ("#00795a", "#2bc49a"),
    ("#a8518a", "#e19ac4"),
    ("#8a6d00", "#f0e442"),
    ("#4b4bb5", "#a9a9f5"),
)
DASHES = ("solid", "dash", "dot")
GREY = ("#616161", "#bdbdbd")

RUN, WAIT = 1, 2
"""The two panels: run time above, run delay below."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One line, in percent of one CPU; the number None stands for all vCPUs or CPUs together."""

    subject: str
    verb: str
    panel: int
    metric: str
    guest: str
    number: int | None
    combine: Literal["mean", "highest"]
    colour: tuple[str, str]
    dash: str

    @property
    def name(self) -> str:
        """What the line shows, in words."""
        return f"{self.subject}: {self.verb}"

    def wants(self, series: Series) -> bool:
        """Whether the line is drawn from this series."""
        return (
            series.metric == self.metric
            and series.guest == self.guest
            and (self.number is None or series.part == self.number)
        )

    def value(self, values: Mapping[Series, float]) -> float | None:
        """The percentage at one tick; None where there is a gap."""
        if self.number is not None:
            rate = values.get(Series(self.metric, self.guest, self.number))
            return None if rate is None else rate * 100
        rates = [rate for series, rate in values.items() if self.wants(series)]
        if not rates:
            return None
        return (max(rates) if self.combine == "highest" else sum(rates) / len(rates)) * 100


def vcpu_traces(guest: str, vcpus: Iterable[int]) -> tuple[Trace, ...]:
    """The lines of a guest: run time and run delay of its vCPUs, and how busy the host's CPUs are."""
    numbers = tuple(vcpus)
    traces: list[Trace] = []
    for panel, metric, verb in ((RUN, VCPU_RUN, "runs"), (WAIT, VCPU_RUN_DELAY, "waits")):
        if len(numbers) <= MOST_LINES:
            traces += (_one(guest, number, place, panel, metric, verb) for place, number in enumerate(numbers))
        else:
            traces += _summary(guest, len(numbers), panel, metric, verb)
    host = Trace("host CPUs, mean", "busy", RUN, HOST_CPU_BUSY.name, "", None, "mean", GREY, "dot")
    return (*traces, host)


def _one(guest: str, number: int, place: int, panel: int, metric: Metric, verb: str) -> Trace:
    colour = COLOURS[place % len(COLOURS)]
    dash = DASHES[place // len(COLOURS) % len(DASHES)]
    return Trace(f"vCPU {number}", verb, panel, metric.name, guest, number, "mean", colour, dash)


def _summary(guest: str, count: int, panel: int, metric: Metric, verb: str) -> tuple[Trace, ...]:
    return (
        Trace(f"highest of {count} vCPUs", verb, panel, metric.name, guest, None, "highest", COLOURS[1], "solid"),
        Trace(f"mean of {count} vCPUs", verb, panel, metric.name, guest, None, "mean", COLOURS[0], "solid"),
    )
