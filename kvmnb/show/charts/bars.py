"""Sizes as bars that lie: what stands in one row is put end to end, in GiB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kvmnb.core.units import GIB
from kvmnb.show.charts import figure as figures

_ROW_PIXELS = 46
_LEGEND_PIXELS = 21
_NAME_LETTERS = 30

# Grey for what is no guest's; a pattern tells the kinds apart where no colour does.
FREE = ("rgba(128,128,128,0.08)", "")
CACHE = ("rgba(128,128,128,0.30)", "/")
OTHERS = ("rgba(128,128,128,0.55)", "")
POOL = ("rgba(128,128,128,0.16)", "x")


@dataclass(frozen=True, slots=True)
class Part:
    """What one thing takes of each row."""

    name: str
    """Hostile text where it is a guest's name."""
    group: str
    """The heading in the legend."""
    look: tuple[str, str]
    """A colour and a pattern."""
    sizes: Mapping[str, int]
    """Bytes by row; rows without any are left out."""
    hovers: Mapping[str, tuple[str, ...]]
    """The lines to read when the mouse stands on it, by row."""


def figure(title: str, rows: Sequence[str], parts: Sequence[Part]) -> dict[str, Any]:
    """The figure as plotly's JSON; the first row is on top."""
    height = max(len(rows) * _ROW_PIXELS + 110, 80 + len(parts) * _LEGEND_PIXELS + 26 * len({p.group for p in parts}))
    return {
        "data": [_trace(part, rows) for part in parts],
        "layout": _layout(title, rows, height),
        "config": figures.config(),
    }


def percent(ratio: float) -> str:
    """A part of a whole, to read.

    >>> percent(0.134)
    '13 %'
    """
    return f"{ratio * 100:.0f} %"


def short(name: str) -> str:
    """A name as a legend has room for it."""
    return name if len(name) <= _NAME_LETTERS else name[: _NAME_LETTERS - 1] + "…"


def _trace(part: Part, rows: Sequence[str]) -> dict[str, Any]:
    fill, pattern = part.look
    shown = [row for row in rows if part.sizes.get(row)]
    return {
        "type": "bar",
        "orientation": "h",
        "name": figures.text(short(part.name)),
        "y": [figures.text(row) for row in shown],
        "x": [round(part.sizes[row] / GIB, 3) for row in shown],
        "marker": {
            "color": fill,
            "line": {"color": "rgba(128,128,128,0.7)", "width": 1},
            "pattern": {"shape": pattern, "fgcolor": figures.INK, "size": 7},
        },
        "hovertext": ["<br>".join(map(figures.text, part.hovers[row])) for row in shown],
        "hoverinfo": "text",
        "legendgroup": part.group,
        "legendgrouptitle": {"text": part.group},
    }


def _layout(title: str, rows: Sequence[str], height: int) -> dict[str, Any]:
    return {
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 16}, "pad": {"l": 8}},
        "height": height,
        "barmode": "stack",
        "bargap": 0.3,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": figures.INK, "size": 12},
        "margin": {"l": 8, "r": 8, "t": 44, "b": 48},
        "xaxis": {
            "title": {"text": "memory, GiB"},
            "gridcolor": "rgba(128,128,128,0.25)",
            "zerolinecolor": "rgba(128,128,128,0.5)",
            "rangemode": "tozero",
            "fixedrange": True,
        },
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [figures.text(row) for row in reversed(rows)],
            # A row without anything is a row all the same.
            "range": [-0.5, len(rows) - 0.5],
            "automargin": True,
            "fixedrange": True,
        },
        "legend": {"x": 1.01, "y": 1, "font": {"size": 12}, "groupclick": "toggleitem", "traceorder": "grouped"},
        "hoverlabel": {"bgcolor": "#24292f", "bordercolor": "#8c959f", "font": {"color": "#ffffff"}},
    }
