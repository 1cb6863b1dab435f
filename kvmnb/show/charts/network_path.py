"""The way of guests' packets out of their host, drawn hop by hop with the narrowest one marked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from kvmnb.advise.finding import Finding
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.show import template, words
from kvmnb.show.charts import figure as figures
from kvmnb.show.charts.hops import BRIDGE, GUEST, NIC, TAP, Hop, Path, paths
from kvmnb.show.colours import colours

TITLE = "Where is this guest's way out of the host narrowest?"
MOST_PATHS = 12
"""Interfaces that the chart draws; the table has all."""

_ROW_PIXELS = 128
_WIDTH, _HEIGHT = 0.84, 0.8
_LETTERS = 30
# The colour of "look here", which no guest has; a word stands beside it.
_MARK = "#c2261d"


class NetworkPaths:
    """The ways of some guests' interfaces; ``names`` are all guests', which their colours come from."""

    def __init__(
        self, host: Host, domains: Sequence[Domain], findings: Sequence[Finding], names: Sequence[str]
    ) -> None:
        self.paths = paths(host, domains, findings)
        self._colours = colours(names)

    @cached_property
    def drawn(self) -> tuple[Path, ...]:
        """The paths that the chart has room for, those with something to look at first."""
        order = sorted(self.paths, key=lambda one: one.narrowest is None)
        return tuple(order[:MOST_PATHS])

    def sentence(self) -> str:
        """What the chart shows, for a reader who does not see it."""
        if not self.paths:
            return "There is no interface to draw: no guest of this choice has one."
        marked = [(path, path.narrowest) for path in self.paths if path.narrowest is not None]
        told = [f"{path.guest} at the {hop.kind} {hop.name}: {_why(hop)}" for path, hop in marked[:3] if hop]
        rest = f"; and {len(marked) - 3} more" if len(marked) > 3 else ""
        found = f"look first at {'; '.join(told)}{rest}" if told else "no hop stands out by its settings"
        return f"{words.plural(len(self.paths), 'interface')}: {found}."

    def table(self) -> str:
        """The same as a table, without the style."""
        return template.fragment("network_path", paths=self.paths, why=_why, same=_same)

    def figure(self) -> dict[str, Any]:
        """The plotly figure: a row for each interface, a box for each hop."""
        rows = list(enumerate(self.drawn))
        traces = [self._edges(rows), *(self._boxes(kind, rows) for kind in (GUEST, TAP, BRIDGE, NIC))]
        notes = [note for row, path in rows for note in self._notes(row, path)]
        widest = max((len(path.hops) for path in self.drawn), default=1)
        return {
            "data": [one for one in traces if one["x"]],
            "layout": _layout(notes, max(widest, 4), len(rows)),
            "config": figures.config(),
        }

    def _boxes(self, kind: str, rows: Sequence[tuple[int, Path]]) -> dict[str, Any]:
        """The boxes of one kind of hop as bars."""
        found = [
            (row, place, path, hop) for row, path in rows for place, hop in enumerate(path.hops) if hop.kind == kind
        ]
        return {
            "type": "bar",
            "name": kind,
            "x": [place + 0.5 for _, place, _, _ in found],
            "base": [round(-row - _HEIGHT, 2) for row, *_ in found],
            "y": [_HEIGHT for _ in found],
            "width": [_WIDTH for _ in found],
            "marker": {
                "color": [f"{self._colours[path.guest]}33" if kind in (GUEST, TAP) else "rgba(128,128,128,0.12)"
                          for _, _, path, _ in found],
                "line": {
                    "color": [_MARK if hop is path.narrowest else self._border(path, hop) for _, _, path, hop in found],
                    "width": [3 if hop is path.narrowest else 1.5 for _, _, path, hop in found],
                },
            },
            "hovertext": [_hover(hop) for *_, hop in found],
            "hoverinfo": "text",
            "showlegend": False,
        }  # fmt: skip

    def _border(self, path: Path, hop: Hop) -> str:
        return self._colours[path.guest] if hop.kind in (GUEST, TAP) else figures.INK

    def _edges(self, rows: Sequence[tuple[int, Path]]) -> dict[str, Any]:
        """The line between neighbouring boxes."""
        x: list[float | None] = []
        y: list[float | None] = []
        for row, path in rows:
            for place in range(len(path.hops) - 1):
                x += [place + 0.5 + _WIDTH / 2, place + 1.5 - _WIDTH / 2, None]
                y += [-row - _HEIGHT / 2, -row - _HEIGHT / 2, None]
        line = {"color": figures.INK, "width": 2}
        return {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "line": line,
            "hoverinfo": "skip",
            "showlegend": False,
        }

    def _notes(self, row: int, path: Path) -> list[dict[str, Any]]:
        """The words in the boxes, and the guest's name above them."""
        made = [_note(0.08, -row + 0.1, f"<b>{figures.text(_short(path.guest))}</b>", "left", 12)]
        for place, hop in enumerate(path.hops):
            lines = [f"<b>{figures.text(_short(hop.name))}</b>", figures.text(_short(hop.does.partition(",")[0]))]
            queues = "" if hop.queues == "–" else f" · queues {figures.text(_brief(hop.queues))}"
            lines.append(f"MTU {hop.size}{' ≠' if hop.odd_mtu else ''}{queues}")
            if hop.lost:
                lines.append(f"lost {hop.lost:,} packets".replace(",", " "))
            if hop is path.narrowest:
                lines.append("<b>▲ look here first</b>")
            made.append(_note(place + 0.5, -row - _HEIGHT / 2, "<br>".join(lines), "center", 11))
        if path.gap is not None:
            made.append(
                _note(len(path.hops) + 0.05, -row - _HEIGHT / 2, figures.text(_short(path.gap, 60)), "left", 11)
            )
        return made

    def _ipython_display_(self) -> None:
        if not self.paths:
            figures.publish({"text/html": template.page("note", text=self.sentence()), "text/plain": self.sentence()})
            return
        caption = template.fragment("chart_caption", sentence=self.sentence(), table=self.table())
        figures.show(self.figure(), caption, template.enclose(self.table()), self.sentence())


def _why(hop: Hop) -> str:
    """What is told of a hop that was marked."""
    said = [one.title for one in hop.findings]
    if hop.odd_mtu:
        said.append(f"its MTU of {hop.size} is not that of the hops before")
    if hop.lost:
        said.append(f"it lost {hop.lost} packets")
    return "; ".join(said)


def _same(one: object, other: object) -> bool:
    return one is other


def _hover(hop: Hop) -> str:
    lines = [f"{hop.kind} {_short(hop.name, 80)}", hop.does, f"MTU {hop.size}; queues {hop.queues}"]
    lines.append(f"offloads {hop.offloads}")
    lines += [f"{words.SIGN_OF_SEVERITY[one.severity]} {one.title}" for one in hop.findings]
    return "<br>".join(map(figures.text, lines))


def _brief(queues: str) -> str:
    return queues.partition(" for ")[0].partition(",")[0].replace(" of ", "/")


def _short(text: str, letters: int = _LETTERS) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _note(x: float, y: float, text: str, align: str, size: int) -> dict[str, Any]:
    """Words at a place; above the boxes and in them alike."""
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "xanchor": align,
        "yanchor": "middle",
        "align": align,
        "font": {"size": size, "color": figures.INK},
    }


def _layout(notes: list[dict[str, Any]], columns: int, rows: int) -> dict[str, Any]:
    axis = {"visible": False, "fixedrange": True}
    return {
        "title": {"text": TITLE, "x": 0, "xanchor": "left", "font": {"size": 16}, "pad": {"l": 8}},
        "height": 70 + rows * _ROW_PIXELS,
        "barmode": "overlay",
        "bargap": 0,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": figures.INK, "size": 12},
        "margin": {"l": 8, "r": 8, "t": 44, "b": 8},
        "xaxis": axis | {"range": [0, columns]},
        "yaxis": axis | {"range": [-rows - 0.02, 0.25]},
        "hoverlabel": {"bgcolor": "#24292f", "bordercolor": "#8c959f", "font": {"color": "#ffffff"}},
        "annotations": notes,
    }
