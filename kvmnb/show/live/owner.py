"""Who owns a live chart: the notebook cell that made it, so that running it again takes the old one away."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kvmnb.measure.sources import close_samplers

if TYPE_CHECKING:
    from kvmnb.show.live.chart import LiveChart


@dataclass(frozen=True, slots=True)
class Owner:
    """A place for charts, and the run of it that made one."""

    place: str
    run: str


_charts: list[tuple[Owner, LiveChart]] = []


def own(chart: LiveChart) -> None:
    """Remember a chart, and close those that an earlier run of the same cell left.

    Without a cell's id (outside JupyterLab) the chart's name stands for the place.
    """
    cell = _cell()
    owner = cell or Owner(f"name:{chart.name}", "")
    former = [pair for pair in _charts if pair[0].place == owner.place and (cell is None or pair[0] != owner)]
    _charts.append((owner, chart))
    for pair in former:
        pair[1].close()


def disown(chart: LiveChart) -> None:
    """Forget a chart."""
    _charts[:] = [pair for pair in _charts if pair[1] is not chart]


def close_all() -> None:
    """Stop every live chart and end every sampler's thread; what the charts show stays on the page."""
    for _, chart in tuple(_charts):
        chart.stop()
    close_samplers()


def _cell() -> Owner | None:
    """The notebook cell that is running, by the id that JupyterLab sends with it."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent() or {}
    place = parent.get("metadata", {}).get("cellId")
    run = parent.get("header", {}).get("msg_id")
    return Owner(f"cell:{place}", str(run)) if place else None
