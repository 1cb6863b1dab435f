"""What a live chart asks: one question, its panels, and the lines in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kvmnb.measure.metric import Metric
from kvmnb.measure.unit import Unit

Together = Literal["mean", "highest", "sum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One metric in a panel: a line for each part of the subject, or one for all parts together."""

    metric: Metric
    verb: str
    """What the part does; it is read behind the part's name."""
    per: Metric | None = None
    """What it is divided by: the seconds of requests by the requests are their latency."""
    together: Together | None = None
    """How all parts make the one line; None: each part has its own."""
    subject: str = ""
    """Of what the one line is."""
    crowd: tuple[Together, ...] = ("sum",)
    """What is drawn in the place of more parts than can be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes; all panels of a chart share the time."""

    axis: str
    """What is drawn upwards, with its unit."""
    unit: Unit
    least: float
    """The axis reaches at least from 0 to this."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a chart is asked."""

    what: str
    """Its word in ``here.watch``."""
    text: str
    """The title: a question that the chart answers."""
    of: Literal["guest", "host", "guests"]
    part: str
    """The word before each part; empty where the part's own name says enough."""
    absent: str
    """What it means that no series of it come."""
    panels: tuple[Panel, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of all panels."""
        return tuple(line for panel in self.panels for line in panel.lines)

    @property
    def metrics(self) -> frozenset[str]:
        """The names of all metrics that it is drawn from."""
        own = {line.metric.name for line in self.lines}
        return frozenset(own | {line.per.name for line in self.lines if line.per is not None})
