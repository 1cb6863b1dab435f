"""A figure inside a document of its own, which no server and no kernel draws."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kvmnb.show import template

BUNDLE = "plotly-cartesian.min.js.gz"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plotly figure with the sentence and the table that say the same."""

    figure: Mapping[str, Any]
    sentence: str
    table: str
    """HTML without the style."""


def html(drawing: Drawing) -> str:
    """The drawing as a part of a document; the document's script draws it, and its table is there without."""
    return template.fragment(
        "drawing", sentence=drawing.sentence, table=drawing.table, figure=script_text(drawing.figure)
    )


def script_text(value: object) -> str:
    """A value as JSON that no text in it can end the script element of.

    >>> script_text({"name": "</script><b>&"})
    '{"name":"\\\\u003c/script\\\\u003e\\\\u003cb\\\\u003e\\\\u0026"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


@cache
def packed_plotly() -> str:
    """The shipped plotly.js as base64 of gzip; the loader unpacks it in the reader's browser."""
    return base64.b64encode(files("kvmnb.show").joinpath("plotly_js", BUNDLE).read_bytes()).decode("ascii")


@cache
def loader() -> str:
    """The one script of a document."""
    return files("kvmnb.show").joinpath("templates/document.js").read_text("utf-8")


def loader_hash() -> str:
    """What the document's policy lets run: this loader, and no other text in the page."""
    return "sha256-" + base64.b64encode(hashlib.sha256(loader().encode()).digest()).decode("ascii")
