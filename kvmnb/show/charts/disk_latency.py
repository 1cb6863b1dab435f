"""How long requests of a guest's disks take: percentiles over the moments of a window."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kvmnb.measure.metrics import guest_disk
from kvmnb.measure.series import LIBVIRT, Frame, Series, by_libvirt
from kvmnb.show import template
from kvmnb.show.charts import figure as figures
from kvmnb.show.colours import colours

TITLE = "How long do requests of this guest's disks take?"

_KINDS = (
    ("reads", guest_disk.DISK_READS, guest_disk.DISK_READ_SECONDS),
    ("writes", guest_disk.DISK_WRITES, guest_disk.DISK_WRITE_SECONDS),
    ("flushes", guest_disk.DISK_FLUSHES, guest_disk.DISK_FLUSH_SECONDS),
)
_METRICS = frozenset(requests.name for _, requests, _ in _KINDS)
_MARKS = (("half of the time below", "half", "circle"), ("95 % below", "most", "diamond"), ("worst", "worst", "x"))
_ROW_PIXELS = 34


@dataclass(frozen=True, slots=True)
class Latency:
    """One kind of request of one disk; times in milliseconds, each the mean request of a moment."""

    disk: str
    kind: str
    requests: float
    """Requests a second, over the moments that had any."""
    half: float
    most: float
    worst: float
    moments: int

    @property
    def row(self) -> str:
        """Its name on the axis."""
        return f"{self.disk} {self.kind}"


class DiskLatency:
    """A window of one guest's disks; or, where nothing was counted, why."""

    def __init__(self, name: str, names: Sequence[str], found: Sequence[Latency], seconds: float, why: str) -> None:
        self.name = name
        self.names = tuple(names)
        self.found = tuple(found)
        self.seconds = seconds
        self.why = why
        """Why there is nothing to draw; empty where there is."""

    def figure(self) -> dict[str, Any]:
        """The plotly figure."""
        rows = [one.row for one in self.found]
        colour = colours(self.names)[self.name]
        spans: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [value for one in self.found for value in (one.half, one.worst, None)],
                "y": [figures.text(row) if row else None for one in self.found for row in (one.row, one.row, None)],
                "line": {"color": colour, "width": 2},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        ]
        return {
            "data": [*spans, *(self._marks(name, field, symbol, colour) for name, field, symbol in _MARKS)],
            "layout": _layout(rows),
            "config": figures.config(),
        }

    def sentence(self) -> str:
        """What the chart shows, for a reader who does not see it."""
        if not self.found:
            return f"There is no latency of the disks of guest {self.name} to show: {self.why}."
        told = [
            f"{one.disk} {one.kind}: {milliseconds(one.half)} for half of the time, {milliseconds(one.worst)} at worst"
            for one in self.found
        ]
        return f"Over {self.seconds:.0f} s, mean request of each moment; {'; '.join(told)}."

    def table(self) -> str:
        """The same as a table, without the style."""
        return template.fragment("disk_latency", rows=self.found, seconds=self.seconds, ms=milliseconds)

    def _marks(self, name: str, field: str, symbol: str, colour: str) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [round(getattr(one, field), 4) for one in self.found],
            "y": [figures.text(one.row) for one in self.found],
            "marker": {"color": colour, "symbol": symbol, "size": 10},
            "hovertext": [figures.text(f"{one.row}: {name} {milliseconds(getattr(one, field))}") for one in self.found],
            "hoverinfo": "text",
        }

    def _ipython_display_(self) -> None:
        said = self.sentence()
        if not self.found:
            figures.publish({"text/html": template.page("note", text=said), "text/plain": said})
            return
        caption = template.fragment("chart_caption", sentence=said, table=self.table())
        figures.show(self.figure(), caption, template.enclose(self.table()), said)


def latency_of(
    name: str, uuid: str, names: Sequence[str], frames: Sequence[Frame], seconds: float, note: str
) -> DiskLatency:
    """What a window's frames tell of one guest's disks; ``note`` says where the frames come from."""
    found = tuple(_latencies(uuid, frames))
    return DiskLatency(name, names, found, seconds, "" if found else _why(uuid, frames, note))


def milliseconds(value: float) -> str:
    """A time for people: three digits.

    >>> milliseconds(0.0421), milliseconds(12.34), milliseconds(1234.5)
    ('0.0421 ms', '12.3 ms', '1.23 s')
    """
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.3g} ms"


def percentile(ordered: Sequence[float], part: float) -> float:
    """The least of the values that this part of them is not above.

    >>> percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.95), percentile([7], 0.5)
    (2, 4, 7)
    """
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def _latencies(uuid: str, frames: Sequence[Frame]) -> Iterator[Latency]:
    disks = sorted({str(one.part) for frame in frames for one in frame.values if _is_of(one, uuid)})
    for disk in disks:
        for kind, requests, spent in _KINDS:
            pairs = [
                (rate, frame.values[Series(spent.name, uuid, disk)])
                for frame in frames
                if (rate := frame.values.get(Series(requests.name, uuid, disk), 0.0)) > 0
                and Series(spent.name, uuid, disk) in frame.values
            ]
            if pairs:
                ordered = sorted(taken / rate * 1000 for rate, taken in pairs)
                yield Latency(
                    disk=disk,
                    kind=kind,
                    requests=sum(rate for rate, _ in pairs) / len(pairs),
                    half=percentile(ordered, 0.5),
                    most=percentile(ordered, 0.95),
                    worst=ordered[-1],
                    moments=len(pairs),
                )


def _is_of(one: Series, uuid: str) -> bool:
    return one.guest == uuid and one.metric in _METRICS


def _why(uuid: str, frames: Sequence[Frame], note: str) -> str:
    if not any(one.metric in _METRICS for frame in frames for one in frame.values):
        silent = next((why for frame in frames if (why := frame.gaps.get(LIBVIRT))), None)
        return silent or f"these series hold nothing of disks ({note})"
    if any(_is_of(one, uuid) for frame in frames for one in frame.values):
        return "they had no request in this time"
    told = (frame.gaps.get(by_libvirt(uuid)) or frame.why_missing(uuid) for frame in frames)
    return next((why for why in told if why), "libvirt counts no disk of it, or it does not run")


def _layout(rows: Sequence[str]) -> dict[str, Any]:
    return {
        "title": {"text": TITLE, "x": 0, "xanchor": "left", "font": {"size": 16}, "pad": {"l": 8}},
        "height": 170 + _ROW_PIXELS * len(rows),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": figures.INK, "size": 12},
        "margin": {"l": 8, "r": 8, "t": 44, "b": 48},
        "xaxis": {
            "title": {"text": "mean request of a moment, ms (each step ten times as long)"},
            "type": "log",
            "gridcolor": "rgba(128,128,128,0.25)",
            "dtick": 1,
        },
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [figures.text(row) for row in reversed(rows)],
            "range": [-0.5, len(rows) - 0.5],
            "automargin": True,
            "fixedrange": True,
        },
        "legend": {"x": 1.01, "y": 1, "font": {"size": 12}},
        "hoverlabel": {"bgcolor": "#24292f", "bordercolor": "#8c959f", "font": {"color": "#ffffff"}},
    }
