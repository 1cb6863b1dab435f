"""A window of frames, condensed: of each series its mean, its highest value, and how often it was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from kvmnb.measure.series import Frame, Series


class Span(NamedTuple):
    """One series over a window."""

    mean: float
    most: float
    read: int
    """How many values were read."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was read over some time."""

    seconds: float
    spans: Mapping[Series, Span]
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Why values are missing, keyed as in a frame; the newest reason."""


def window_of(frames: Iterable[Frame]) -> Window:
    """The window that these frames, in their order, make."""
    sums: dict[Series, float] = defaultdict(float)
    most: dict[Series, float] = {}
    counts: dict[Series, int] = defaultdict(int)
    gaps: dict[str, str] = {}
    first: Frame | None = None
    last: Frame | None = None
    for frame in frames:
        first = first or frame
        last = frame
        gaps.update(frame.gaps)
        for series, value in frame.values.items():
            sums[series] += value
            counts[series] += 1
            most[series] = max(value, most.get(series, value))
    if first is None or last is None:
        return Window(0.0, {}, gaps)
    spans = {series: Span(sums[series] / counts[series], most[series], counts[series]) for series in sums}
    # The first frame's rates reach back over a period before it.
    return Window(last.at - first.at + first.period, spans, gaps)
