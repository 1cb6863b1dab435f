"""The widgets behind live charts and the table of guests; importing this loads anywidget."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget

from kvmnb.show.drawing import packed_plotly

PAGE = Path(__file__).parent / "page"
UPLOT = Path(__file__).parent / "vendor/uplot"
CODE = ("runtime.js", "looks.js", "plotly.js", "uplot.js", "save.js", "chart.js")
"""What draws a chart, in the order in which it is put together."""


def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


@cache
def code() -> str:
    """All that draws charts as one text, with plotly.js and uPlot inside, packed."""
    style = json.dumps((UPLOT / "uPlot.min.css").read_text(encoding="utf-8").strip())
    text = "\n".join(map(_text, CODE)).replace('"__UPLOT_CSS__"', style)
    # Without a time stamp, so that the same library gives the same text.
    small = gzip.compress((UPLOT / "uPlot.iife.min.js").read_bytes(), mtime=0)
    return text.replace("__UPLOT__", base64.b64encode(small).decode("ascii")).replace("__PLOTLY__", packed_plotly())


@cache
def version() -> str:
    """What tells this code from that of another kernel on the same page."""
    return hashlib.sha256(code().encode()).hexdigest()[:16]


class Runtime(AnyWidget):
    """Brings the code to the page, once for all charts of a kernel, and their post; it need not be displayed."""

    def __init__(self) -> None:
        self._esm = f"{code()}\n{_text('end.js').replace('__VERSION__', version())}"
        super().__init__()


class ChartWidget(AnyWidget):
    """One chart in the page; what moves comes by messages, since only the kernel's thread sets traits."""

    _css = _text("chart.css")
    spec = traitlets.Dict().tag(sync=True)
    frozen = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, spec: dict[str, Any]) -> None:
        self._esm = _text("shim.js").replace("__VERSION__", version())
        super().__init__(spec=spec)


class TopWidget(AnyWidget):
    """A table of guests in the page; its rows come by messages, and the page says which guest was chosen."""

    _esm = _text("top.js")
    _css = _text("top.css")
    spec = traitlets.Dict().tag(sync=True)


_runtime: list[Runtime] = []


def ensure_runtime() -> Runtime:
    """The one runtime of this kernel, made unless it is there."""
    if not _runtime or _runtime[0].comm is None:
        _runtime[:] = [Runtime()]
    return _runtime[0]


def chart_widget(spec: dict[str, Any]) -> ChartWidget:
    """A widget that draws what ``spec`` says."""
    ensure_runtime()
    return ChartWidget(spec)


def close_widget(widget: Any) -> None:
    """Take a widget off the page, with the layout and style that it was given; ipywidgets leaves those."""
    for name in ("layout", "style"):
        beside = getattr(widget, name, None)
        if beside is not None:
            beside.close()
    widget.close()


def whole_page(spec: dict[str, Any], frozen: dict[str, Any], title: str) -> str:
    """A page that draws the chart as it stands, from a file and without a network."""
    from html import escape

    model = json.dumps({"spec": spec, "frozen": frozen}).replace("<", "\\u003c")
    style = (
        f"body{{font-family:system-ui,sans-serif;margin:16px}}{_text('chart.css')}option[value=html]{{display:none}}"
    )
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='color-scheme' content='light dark'><style>{style}</style></head><body><main></main>"
        f"<script type='module'>\n{code()}\nconst values = {model};\n"
        "const model = { get: (name) => values[name], on() {}, off() {}, send() {} };\n"
        "render({ model, el: document.querySelector('main') });\n</script></body></html>\n"
    )
