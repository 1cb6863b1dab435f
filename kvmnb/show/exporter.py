"""A notebook that has run, as a document: nbconvert with a template of kvmnb's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbconvert.exporters

from kvmnb.show import drawing, template
from kvmnb.show.charts.figure import MIME
from kvmnb.show.document import enclosed
from kvmnb.show.drawing import Drawing

# It comes without types.
EXPORTERS: Any = nbconvert.exporters
TEMPLATES = Path(__file__).parent / "nbconvert_templates"
# Without a kernel a widget is empty; the HTML beside it says what it showed.
_NOT_SHOWN = ("application/vnd.jupyter.widget-view+json", MIME)


def document_of(notebook: Any) -> str:
    """The whole text of the document."""
    exporter = EXPORTERS.HTMLExporter(
        template_name="kvmnb",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, _ = exporter.from_notebook_node(drawn(notebook))
    return enclosed(_title(notebook), f"<main>{body}</main>")


def drawn(notebook: Any) -> Any:
    """The notebook with each figure as a drawing, and without the style that each output carries."""
    from copy import deepcopy

    made = deepcopy(notebook)
    style = f"<style>{template.style()}</style>"
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            said = output.get("data", {})
            if MIME in said:
                figure = Drawing(said[MIME], said.get("text/plain", ""), said.get("text/html", ""))
                said["text/html"] = drawing.html(figure)
            for kind in _NOT_SHOWN:
                said.pop(kind, None)
            if "text/html" in said:
                said["text/html"] = said["text/html"].replace(style, "")
    return made


def _title(notebook: Any) -> str:
    """The first heading."""
    for cell in notebook.cells:
        first = cell.source.partition("\n")[0]
        if cell.cell_type == "markdown" and first.startswith("# "):
            return str(first[2:])
    return "A notebook of kvmnb"
