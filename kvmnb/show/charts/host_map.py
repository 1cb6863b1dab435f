"""The host map, which shows the guests' vCPUs on the CPUs that they are kept on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.show import template, words
from kvmnb.show.charts import figure as figures
from kvmnb.show.charts.grid import Cell, Grid, grid
from kvmnb.show.charts.sitting import Sitting, sittings
from kvmnb.show.colours import colours, ink_on

TITLE = "Which guest's vCPU sits on which CPU?"

_ROW_PIXELS = 34
_LABEL_SHARE = 0.36
_NAME_LETTERS = 22

# Guests that the grid has no cell for are lines of the legend alone.
_OFF_GRID: tuple[tuple[str, Callable[[Sitting], bool]], ...] = (
    ("Floating: on any CPU", lambda one: not one.pinned),
    ("Pinned to CPUs not online", lambda one: bool(one.absent) and not one.by_cpu),
)


class HostMap:
    """Packages, nodes, cores and threads as a grid, with the guests that are kept on them.

    ``housekeeping`` are the CPUs that kvmnb leaves to the host when it pins guests.
    """

    def __init__(self, host: Host, domains: Sequence[Domain], housekeeping: CpuSet | None = None) -> None:
        self.host = host
        self.domains = tuple(domains)
        self.housekeeping = CpuSet() if housekeeping is None else housekeeping

    @cached_property
    def sittings(self) -> tuple[Sitting, ...]:
        """Who may run where."""
        return sittings(self.domains, self.host.online)

    def figure(self) -> dict[str, Any]:
        """The plotly figure."""
        return figure(self.host, self.sittings, self.housekeeping)

    def sentence(self) -> str:
        """What the map shows, for a reader who does not see it."""
        try:
            return _sentence(self.host, self.sittings)
        except NotSeen as unseen:
            return f"The host's CPUs were not seen ({unseen.gap.reason}), so there is no map of them."

    def table(self) -> str:
        """The same as a table, without the style."""
        return template.fragment("host_map", rows=self.sittings, absent="none")

    def _ipython_display_(self) -> None:
        try:
            drawn = self.figure()
        except NotSeen:
            said = self.sentence()
            figures.publish({"text/html": template.page("note", text=said), "text/plain": said})
            return
        caption = template.fragment("chart_caption", sentence=self.sentence(), table=self.table())
        figures.show(drawn, caption, template.enclose(self.table()), self.sentence())


def figure(host: Host, seated: Sequence[Sitting], housekeeping: CpuSet) -> dict[str, Any]:
    """The figure as plotly's JSON: bars that fill the cells of a grid."""
    drawn = grid(host)
    colour = colours(sitting.name for sitting in seated)
    traces = [*_cpu_traces(host, drawn, seated, housekeeping), *_guest_traces(drawn, seated, colour)]
    for title, off_grid in _OFF_GRID:
        traces += [_legend_trace(one, colour[one.name], title) for one in seated if off_grid(one)]
    entries = sum(trace.get("showlegend", True) for trace in traces)
    groups = len({trace.get("legendgroup") for trace in traces})
    height = max(drawn.height * _ROW_PIXELS + 70, 60 + entries * 20 + groups * 32)
    return {"data": traces, "layout": _layout(drawn, int(height)), "config": figures.config()}


def _cpu_traces(host: Host, drawn: Grid, seated: Sequence[Sitting], housekeeping: CpuSet) -> list[dict[str, Any]]:
    """The empty cells, one trace for each state of a CPU that there is; then the CPUs' numbers."""
    kinds: list[tuple[str, str, str, list[Cell]]] = [
        ("CPU", "rgba(128,128,128,0.10)", "", []),
        ("CPU kept for the host when kvmnb pins", "rgba(128,128,128,0.38)", "", []),
        ("isolated CPU", "rgba(128,128,128,0.10)", "x", []),
        ("offline CPU", "rgba(128,128,128,0.10)", "/", []),
    ]
    for cell in drawn.cells:
        number = cell.cpu.id
        kind = 3 if not cell.cpu.online else 2 if number in host.isolated else 1 if number in housekeeping else 0
        kinds[kind][3].append(cell)
    by_cpu = _by_cpu(seated)
    traces = [
        _bars(
            name,
            fill,
            [(cell.x, cell.y, 0.94, 0.94) for cell in cells],
            [_cpu_hover(cell, name, by_cpu.get(cell.cpu.id, [])) for cell in cells],
            pattern=pattern,
            group="CPUs",
        )
        for name, fill, pattern, cells in kinds
        if cells
    ]
    numbers = {
        "type": "scatter",
        "mode": "text",
        "x": [cell.x + 0.5 for cell in drawn.cells],
        "y": [cell.y + 1 - _LABEL_SHARE / 2 - 0.04 for cell in drawn.cells],
        "text": [str(cell.cpu.id) for cell in drawn.cells],
        "textfont": {"size": 10 if drawn.width <= 20 else 8, "color": figures.INK},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [*traces, numbers]


def _guest_traces(drawn: Grid, seated: Sequence[Sitting], colour: dict[str, str]) -> list[dict[str, Any]]:
    """One trace for each pinned guest; guests that share a CPU stand side by side in its cell."""
    place = {cell.cpu.id: cell for cell in drawn.cells}
    by_cpu = _by_cpu(seated)
    traces = []
    for sitting in seated:
        if not sitting.by_cpu:
            continue
        boxes, hovers, labels = [], [], []
        for cpu, vcpus in sitting.by_cpu:
            names = [other.name for other, _ in by_cpu[cpu]]
            share = 0.88 / len(names)
            cell = place[cpu]
            left = cell.x + 0.03 + names.index(sitting.name) * share
            boxes.append((left, cell.y + 0.03, share * 0.96, 0.94 - _LABEL_SHARE))
            hovers.append(_guest_hover(sitting, cpu, vcpus, len(names)))
            labels.append(str(vcpus) if len(str(vcpus)) * len(names) <= (5 if drawn.width <= 20 else 2) else "")
        trace = _bars(_legend(sitting), colour[sitting.name], boxes, hovers, group="Pinned guests")
        trace |= {"text": labels, "textposition": "inside", "textangle": 0, "insidetextanchor": "middle"}
        trace["insidetextfont"] = {"size": 10 if drawn.width <= 20 else 8, "color": ink_on(colour[sitting.name])}
        traces.append(trace)
    return traces


def _legend_trace(sitting: Sitting, colour: str, title: str) -> dict[str, Any]:
    """A line in the legend for a guest that has no place on the grid."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "name": _legend(sitting),
        "marker": {"color": colour, "symbol": "square-open", "size": 11, "line": {"width": 3}},
        "legendgroup": title,
        "legendgrouptitle": {"text": title},
        "hoverinfo": "skip",
    }


def _bars(
    name: str,
    fill: str,
    boxes: list[tuple[float, float, float, float]],
    hovers: list[str],
    *,
    pattern: str = "",
    group: str,
) -> dict[str, Any]:
    """Boxes (left, bottom, width, height) as the bars of one trace."""
    return {
        "type": "bar",
        "name": name,
        "x": [round(left + width / 2, 3) for left, _, width, _ in boxes],
        "base": [round(bottom, 3) for _, bottom, _, _ in boxes],
        "y": [round(height, 3) for *_, height in boxes],
        "width": [round(width, 3) for _, _, width, _ in boxes],
        "marker": {
            "color": fill,
            "line": {"color": "rgba(128,128,128,0.7)", "width": 1},
            "pattern": {"shape": pattern, "fgcolor": figures.INK, "size": 7},
        },
        "hovertext": hovers,
        "hoverinfo": "text",
        "legendgroup": group,
        "legendgrouptitle": {"text": group},
    }


def _by_cpu(seated: Sequence[Sitting]) -> dict[int, list[tuple[Sitting, CpuSet]]]:
    found: dict[int, list[tuple[Sitting, CpuSet]]] = {}
    for sitting in seated:
        for cpu, vcpus in sitting.by_cpu:
            found.setdefault(cpu, []).append((sitting, vcpus))
    return found


def _cpu_hover(cell: Cell, kind: str, guests: list[tuple[Sitting, CpuSet]]) -> str:
    cpu = cell.cpu
    lines = [f"CPU {cpu.id}: {kind}"]
    if cpu.online:
        lines.append(f"package {cpu.package}, node {cpu.node}, core {cpu.core}, threads of the core: {cpu.siblings}")
    lines += [f"{_short(sitting.name)}: vCPU {vcpus}" for sitting, vcpus in guests]
    return "<br>".join(map(figures.text, lines))


def _guest_hover(sitting: Sitting, cpu: int, vcpus: CpuSet, guests: int) -> str:
    state = "running" if sitting.running else "shut off"
    lines = [f"{_short(sitting.name, 80)} ({state})", f"vCPU {vcpus} may run on CPU {cpu}"]
    if guests > 1:
        lines.append(f"{guests} guests are kept on this CPU")
    return "<br>".join(map(figures.text, lines))


def _legend(sitting: Sitting) -> str:
    state = "" if sitting.running else ", shut off"
    return figures.text(f"{_short(sitting.name)} ({words.plural(sitting.vcpus, 'vCPU')}{state})")


def _short(name: str, letters: int = _NAME_LETTERS) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"


def _layout(drawn: Grid, height: int) -> dict[str, Any]:
    """Axes that only place the cells; the text is coloured by the page's theme."""
    axis = {"visible": False, "fixedrange": True}
    return {
        "title": {"text": TITLE, "x": 0, "xanchor": "left", "font": {"size": 16}, "pad": {"l": 8}},
        "height": height,
        "barmode": "overlay",
        "bargap": 0,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": figures.INK, "size": 12},
        "margin": {"l": 8, "r": 8, "t": 44, "b": 8},
        "xaxis": axis | {"range": [-0.05, drawn.width + 0.05]},
        # Where the legend is the taller, the cells keep their size and stay on top.
        "yaxis": axis | {"range": [-max(drawn.height, (height - 70) / (1.5 * _ROW_PIXELS)), 0.1]},
        "legend": {"x": 1.01, "y": 1, "font": {"size": 12}, "groupclick": "toggleitem"},
        "hoverlabel": {"bgcolor": "#24292f", "bordercolor": "#8c959f", "font": {"color": "#ffffff"}},
        "annotations": [
            {
                "x": 0.03,
                "y": block.y - 0.55,
                "text": f"<b>{figures.text(block.title)}</b>",
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "middle",
                "font": {"size": 12, "color": figures.INK},
            }
            for block in drawn.blocks
        ],
    }


def _sentence(host: Host, seated: Sequence[Sitting]) -> str:
    pinned = [sitting for sitting in seated if sitting.pinned]
    floating = [sitting for sitting in seated if not sitting.pinned]
    shared = CpuSet(cpu for cpu, guests in _by_cpu(seated).items() if len(guests) > 1)
    absent = [f"{sitting.name} (CPUs {sitting.absent})" for sitting in pinned if sitting.absent]
    cpus = f"{words.plural(len(host.online), 'CPU')} on {words.plural(len(host.numa_nodes), 'NUMA node')}"
    kept = f"{words.plural(len(pinned), 'guest')} pinned to some of them, {len(floating)} floating over all."
    parts = [
        f"{cpus}: {kept}",
        f"More than one guest is pinned to {'CPU' if len(shared) == 1 else 'CPUs'} {shared}." if shared else "",
        f"Pinned to CPUs that this host does not have online: {words.listed(absent)}." if absent else "",
    ]
    return " ".join(part for part in parts if part)
