"""The two widgets behind live charts; importing this loads anywidget."""

from __future__ import annotations

import base64
import gzip
from functools import cache
from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget

HERE = Path(__file__).parent


class PlotlyRuntime(AnyWidget):
    """Brings plotly.js to the page, once for all charts of a kernel; it need not be displayed."""

    def __init__(self) -> None:
        self._esm = packed_plotly()
        super().__init__()


class ChartWidget(AnyWidget):
    """One chart in the page; what moves comes by messages, since only the kernel's thread sets traits."""

    _esm = (HERE / "chart.js").read_text(encoding="utf-8")
    _css = (HERE / "chart.css").read_text(encoding="utf-8")
    spec = traitlets.Dict().tag(sync=True)
    frozen = traitlets.Any(None, allow_none=True).tag(sync=True)


class TopWidget(AnyWidget):
    """A table of guests in the page; its rows come by messages, and the page says which guest was chosen."""

    _esm = (HERE / "top.js").read_text(encoding="utf-8")
    _css = (HERE / "top.css").read_text(encoding="utf-8")
    spec = traitlets.Dict().tag(sync=True)


@cache
def packed_plotly() -> str:
    """The widget's code with the installed plotly's own plotly.js inside, packed."""
    import plotly

    library = (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_bytes()
    # Without a time stamp, so that the same plotly gives the same text.
    packed = base64.b64encode(gzip.compress(library, mtime=0)).decode("ascii")
    return (HERE / "runtime.js").read_text(encoding="utf-8").replace("__PACKED__", packed)


_runtime: list[PlotlyRuntime] = []


def ensure_runtime() -> None:
    """Make the one runtime of this kernel, unless it is there."""
    if not _runtime or _runtime[0].comm is None:
        _runtime[:] = [PlotlyRuntime()]


def chart_widget(spec: dict[str, Any]) -> ChartWidget:
    """A widget that draws what ``spec`` says."""
    ensure_runtime()
    return ChartWidget(spec=spec)
