"""A document of its own: one HTML file that needs no network, no kernel and no style but its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmnb.show import drawing, template
from kvmnb.show.charts.figure import THEME

MARK = '<!DOCTYPE html>\n<html lang="en" data-kvmnb-document="1">'
"""How every document of kvmnb begins, so that one may take the place of another and of nothing else."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document with a heading, below a word on what to look for."""

    name: str
    """For links: letters and dashes."""
    title: str
    why: str
    html: str


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands above the sections."""

    title: str
    lines: Sequence[str]


def document(cover: Cover, sections: Sequence[Section]) -> str:
    """The whole text of the document."""
    body = template.fragment("document_body", cover=cover, sections=[_bare(one) for one in sections])
    return enclosed(cover.title, body)


def enclosed(title: str, body: str) -> str:
    """A body with the head and foot of a document: style, policy, and what draws its figures."""
    return template.fragment(
        "document",
        mark=MARK,
        title=title,
        body=body,
        theme=THEME,
        script=drawing.loader(),
        script_hash=drawing.loader_hash(),
        plotly=drawing.packed_plotly() if 'class="drawing"' in body else "",
    )


def written_by_kvmnb(text: str) -> bool:
    """Whether a file's beginning is that of a document."""
    return text.startswith(MARK)


def _bare(section: Section) -> Section:
    """The section with its cards' style taken out, for the document has it once."""
    style = f"<style>{template.style()}</style>"
    return Section(section.name, section.title, section.why, section.html.replace(style, ""))
