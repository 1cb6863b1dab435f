"""The matrix of neighbours, which shows who takes the CPU from whom."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from kvmnb.facts.gap import Gap
from kvmnb.measure.moment import UNKNOWN, Kind, Party
from kvmnb.measure.neighbours import Matrix, said
from kvmnb.show import template, words
from kvmnb.show.charts import figure as figures

TITLE = "Who takes whose CPU?"
UNIT = "seconds of run delay per second"
# From pale to dark, so that it reads in grey too; blue to vermilion, so that it reads to the colour-blind; none of
# them near white or near a dark theme's ground.
SCALE = ((0.0, "#8FBFDC"), (0.5, "#E08E0B"), (1.0, "#B03A00"))

_MOST = 20
# Seconds per second: what would read 0.00 has no column of its own.
_LEAST = 0.005
_ROW_PIXELS = 30
_NAME_LETTERS = 26
_OTHERS = "all others"


class Row(NamedTuple):
    """One guest that waited: how long, and for whom, most first."""

    victim: str
    waited: float
    culprits: tuple[tuple[str, float], ...]


class Neighbours:
    """Victims by culprits, seconds of run delay caused per second; or why that is not known.

    ``guests`` holds names by UUID, beside those that the looks told.
    """

    def __init__(self, matrix: Matrix | Gap, guests: Mapping[str, str]) -> None:
        self.matrix = matrix
        self.guests = {**guests, **matrix.guests} if isinstance(matrix, Matrix) else dict(guests)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Each guest that waited, longest first."""
        if isinstance(self.matrix, Gap):
            return ()
        waited = self.matrix.waited
        return tuple(
            Row(
                self.guests.get(victim, victim),
                waited[victim],
                tuple((said(who, self.guests, victim), rate) for who, rate in self.matrix.of(victim)),
            )
            for victim in self.matrix.victims
        )

    def figure(self) -> dict[str, Any] | None:
        """The plotly figure; None where nobody waited, or where it is not known."""
        return figure(self.matrix, self.guests) if isinstance(self.matrix, Matrix) and self.rows else None

    def sentence(self) -> str:
        """What the matrix shows, for a reader who does not see it."""
        if isinstance(self.matrix, Gap):
            return f"Who takes whose CPU is not known: {self.matrix.reason}."
        found = self.matrix
        over = f"Over {found.seconds:.1f} s ({words.plural(found.looks, 'look')})"
        if not self.rows:
            return f"{over} no guest waited for a CPU."
        worst = self.rows[0]
        for_whom = ", ".join(f"{culprit} {rate:.2f}" for culprit, rate in worst.culprits[:3])
        more = f" {words.plural(len(self.rows) - 1, 'more guest')} waited." if len(self.rows) > 1 else ""
        told = "; ".join(found.gaps)
        return (
            f"{over} {worst.victim} waited {worst.waited:.2f} s/s for a CPU: {for_whom}.{more} Of all waits "
            f"{found.unknown_share:.0%} could be given to nobody.{f' Not seen: {told}.' if told else ''}"
        )

    def table(self) -> str:
        """The same as a table, without the style."""
        return template.fragment("neighbours", rows=self.rows, unit=UNIT)

    def _ipython_display_(self) -> None:
        drawn = self.figure()
        if drawn is None:
            figures.publish({"text/html": template.page("note", text=self.sentence()), "text/plain": self.sentence()})
            return
        caption = template.fragment("chart_caption", sentence=self.sentence(), table=self.table())
        figures.show(drawn, caption, template.enclose(self.table()), self.sentence())


def figure(found: Matrix, guests: Mapping[str, str]) -> dict[str, Any]:
    """The heat map as plotly's JSON; the longest waits on top, those who caused most on the left."""
    victims = found.victims[:_MOST]
    culprits = [one for one in found.culprits if one != UNKNOWN]
    told = [one for one in culprits if any(found.caused.get((who, one), 0.0) >= _LEAST for who in victims)][:_MOST]
    rest = tuple(one for one in culprits if one not in told)
    columns = [*((one,) for one in told), rest, (UNKNOWN,)]
    columns = [one for one in columns if any((victim, who) in found.caused for victim in victims for who in one)]
    cells = [
        [sum(found.caused.get((victim, who), 0.0) for who in one) or None for one in columns] for victim in victims
    ]
    names = [_short(guests.get(victim, victim)) for victim in victims]
    takers = [_OTHERS if len(one) > 1 else _short(said(one[0], guests)) for one in columns]
    trace = {
        "type": "heatmap",
        "z": [[None if value is None else round(value, 4) for value in row] for row in cells],
        "text": [[_number(value) for value in row] for row in cells],
        "texttemplate": "%{text}",
        "hovertext": [
            [_hover(found, victim, one, value, guests) for one, value in zip(columns, row, strict=True)]
            for victim, row in zip(victims, cells, strict=True)
        ],
        "hoverinfo": "text",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
        "zmin": 0,
        "zmax": max(value for row in cells for value in row if value is not None),
        "colorscale": [list(one) for one in SCALE],
        "colorbar": {"title": {"text": f"{UNIT} (s/s)", "side": "right"}, "thickness": 12},
    }
    longest = max(map(len, takers))
    height = len(names) * _ROW_PIXELS + 130 + int(longest * 4.5)
    return {"data": [trace], "layout": _layout(names, takers, height), "config": figures.config()}


def _hover(
    found: Matrix, victim: str, culprits: tuple[Party, ...], value: float | None, guests: Mapping[str, str]
) -> str:
    if value is None:
        return ""
    who = said(culprits[0], guests, victim) if len(culprits) == 1 else f"{len(culprits)} others"
    share = value / found.waited[victim]
    lines = [
        f"{guests.get(victim, victim)[:80]} waited {found.waited[victim]:.3f} s/s",
        f"{value:.3f} s/s of it ({share:.0%}): {who[:80]}",
    ]
    if culprits[0].kind is Kind.HYPERVISOR:
        lines.append("steal: the machine that this host runs on gave the CPU to somebody else")
    return "<br>".join(map(figures.text, lines))


def _layout(names: list[str], takers: list[str], height: int) -> dict[str, Any]:
    axis = {"fixedrange": True, "showgrid": False, "zeroline": False, "automargin": True}
    return {
        "title": {"text": TITLE, "x": 0, "xanchor": "left", "font": {"size": 16}, "pad": {"l": 8}},
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": figures.INK, "size": 12},
        "margin": {"l": 8, "r": 8, "t": 44, "b": 8},
        # Places by number: two names that are cut alike stay two.
        "xaxis": axis
        | {
            "title": {"text": "who takes the CPU"},
            "tickvals": list(range(len(takers))),
            "ticktext": [figures.text(one) for one in takers],
        },
        "yaxis": axis
        | {
            "title": {"text": "guest that waits"},
            "tickvals": list(range(len(names))),
            "ticktext": [figures.text(one) for one in names],
            "autorange": "reversed",
        },
        "hoverlabel": {"bgcolor": "#24292f", "bordercolor": "#8c959f", "font": {"color": "#ffffff"}},
    }


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value >= _LEAST else "&lt;0.01"


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LETTERS else name[: _NAME_LETTERS - 1] + "…"
