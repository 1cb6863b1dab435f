"""A plotly figure as one output: the figure itself, a table where nothing draws it, and a sentence.

The bundle is made by hand: ``plotly.io`` would import its renderers, which take more than a second.
"""

from __future__ import annotations

from typing import Any

from kvmnb.show import template

MIME = "application/vnd.plotly.v1+json"

# Between black and white, for a page that does not restyle the text: 4.5:1 on either ground, or near it.
INK = "#7a7a7a"

# A figure's colours are fixed; its text takes the theme's from this style, which stands beside it.
THEME = (
    "<style>.js-plotly-plot .main-svg .infolayer text,.js-plotly-plot .main-svg .xaxislayer-above text,"
    ".js-plotly-plot .main-svg .yaxislayer-above text,.js-plotly-plot .main-svg .scatterlayer text,"
    ".js-plotly-plot .main-svg .annotation-text{fill:var(--jp-content-font-color1,#7a7a7a)!important}</style>"
)


def bundle(figure: dict[str, Any], fallback: str, sentence: str) -> dict[str, Any]:
    """The mime bundle of a figure."""
    return {MIME: figure, "text/html": fallback, "text/plain": sentence}


def show(figure: dict[str, Any], caption: str, fallback: str, sentence: str) -> None:
    """Put a caption and the figure below the running cell."""
    publish({"text/html": THEME + template.enclose(caption), "text/plain": sentence})
    publish(bundle(figure, fallback, sentence))


def publish(said: dict[str, Any]) -> None:
    """Put one output below the running cell."""
    from IPython.core import display_functions

    display: Any = display_functions.display
    display(said, raw=True)


def config() -> dict[str, Any]:
    """What the figure's own bar offers: the picture, and no logo.

    JupyterLab fits the width itself; plotly's own ``responsive`` would at times leave a height of 0 there.
    """
    return {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}


def text(said: str) -> str:
    """Hostile text for a figure: plotly reads a few tags in any text, so none is left."""
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
