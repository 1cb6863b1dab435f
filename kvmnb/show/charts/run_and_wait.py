"""Which guests ran and which waited for a CPU, over some time that has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.series import Series
from kvmnb.measure.unit import PERCENT
from kvmnb.show import template, words
from kvmnb.show.charts import figure as figures
from kvmnb.show.colours import colours
from kvmnb.show.live.caption import means

TITLE = "Which guest ran, and which waited for a CPU?"

Values = Mapping[Series, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One guest's mean vCPU at each moment, in percent; None where it was not read."""

    guest: str
    run: tuple[float | None, ...]
    wait: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class MeanLine:
    """The same in words, for the table."""

    guest: str
    run: str
    wait: str
    most: str


class RunAndWait:
    """The lines of all guests; ``seconds`` tell when each row was read, from the first on."""

    def __init__(self, rows: Sequence[Values], seconds: Sequence[float], names: Mapping[str, str], note: str) -> None:
        self.note = note
        self.seconds = tuple(seconds)
        self.lines = tuple(
            Line(name, _mean(rows, VCPU_RUN.name, guest), _mean(rows, VCPU_RUN_DELAY.name, guest))
            for guest, name in sorted(names.items(), key=lambda pair: pair[1])
            if any(series.guest == guest and series.metric == VCPU_RUN.name for row in rows for series in row)
        )

    def sentence(self) -> str:
        """What the chart shows, for a reader who does not see it."""
        found = self.means()
        if not found:
            return f"No guest's vCPUs were read ({self.note})."
        waiting = max(found, key=lambda one: means([[value] for value in one.wait], 1)[0] or 0.0)
        longest = PERCENT.text(means([[value] for value in waiting.wait], 1)[0])
        span = self.seconds[-1] - self.seconds[0] if self.seconds else 0.0
        return (
            f"{words.plural(len(found), 'guest')} over {span:.0f} s ({self.note}): "
            f"the vCPUs of {waiting.guest} waited longest, {longest} of the time in the mean."
        )

    def means(self) -> tuple[Line, ...]:
        """The guests of which anything was read."""
        return tuple(one for one in self.lines if any(value is not None for value in one.run))

    def table(self) -> str:
        """The same as a table, without the style."""
        rows = []
        for one in self.lines:
            run, wait = means(list(zip(one.run, one.wait, strict=True)), 2)
            most = max((value for value in one.wait if value is not None), default=None)
            rows.append(MeanLine(one.guest, PERCENT.text(run), PERCENT.text(wait), PERCENT.text(most)))
        return template.fragment("run_and_wait", rows=rows)

    def figure(self) -> dict[str, Any]:
        """The plotly figure: run time above, run delay below, one colour for a guest."""
        colour = colours(one.guest for one in self.lines)
        traces = [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [round(at, 2) for at in self.seconds],
                "y": [None if value is None else round(value, 1) for value in values],
                "yaxis": axis,
                "name": figures.text(one.guest),
                "legendgroup": figures.text(one.guest),
                "showlegend": axis == "y",
                "line": {"color": colour[one.guest], "width": 2},
                "hovertemplate": f"%{{x:.0f}} s: {word} %{{y:.1f}} %",
                "connectgaps": False,
            }
            for one in self.lines
            for axis, word, values in (("y", "runs", one.run), ("y2", "waits", one.wait))
        ]
        return {"data": traces, "layout": _layout(), "config": figures.config()}


def _mean(rows: Sequence[Values], metric: str, guest: str) -> tuple[float | None, ...]:
    """The mean of the guest's vCPUs in each row, in percent."""
    found: list[float | None] = []
    for row in rows:
        values = [value for series, value in row.items() if series.guest == guest and series.metric == metric]
        found.append(100 * sum(values) / len(values) if values else None)
    return tuple(found)


def _layout() -> dict[str, Any]:
    axis = {"gridcolor": "rgba(128,128,128,0.25)", "zerolinecolor": "rgba(128,128,128,0.5)", "rangemode": "tozero"}
    return {
        "title": {"text": TITLE, "x": 0, "xanchor": "left", "font": {"size": 16}, "pad": {"l": 8}},
        "height": 440,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": figures.INK, "size": 12},
        "margin": {"l": 64, "r": 8, "t": 44, "b": 48},
        "hovermode": "closest",
        "hoverlabel": {"font": {"color": "#ffffff"}},
        "xaxis": axis | {"title": {"text": "seconds"}, "anchor": "y2"},
        "yaxis": axis | {"title": {"text": "runs, % of a CPU"}, "domain": [0.55, 1]},
        "yaxis2": axis | {"title": {"text": "waits, % of time"}, "domain": [0, 0.45]},
        "legend": {"title": {"text": "Mean vCPU of"}},
    }
