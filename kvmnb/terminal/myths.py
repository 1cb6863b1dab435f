"""``kvmnb myths`` and ``kvmnb myth ID``: advice that is often repeated and does not hold."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kvmnb.advise import folklore
from kvmnb.terminal import documents, pages
from kvmnb.terminal.options import add_json
from kvmnb.terminal.rule_words import sections

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs

_FACTS = "Often advised; here is what holds."


def add(verbs: Verbs) -> None:
    """Add the verbs to the parser."""
    listing = verbs.add_parser("myths", help="well-known advice that does not hold")
    add_json(listing)
    listing.set_defaults(run=run_myths)
    one = verbs.add_parser("myth", help="one of them explained")
    one.add_argument("id", metavar="ID")
    one.add_argument("--format", choices=("text", "md", "html"), default="text")
    add_json(one)
    one.set_defaults(run=run_myth)


def run_myths(options: argparse.Namespace) -> int:
    """Print all myths; 0."""
    if options.json:
        parts = tuple(documents.myth_part(one) for one in folklore.myths())
        documents.print_document(documents.MythsDocument("kvmnb.myths/1", parts))
        return 0
    for one in folklore.myths():
        print(f"{one.name:<20} {one.title}")
    return 0


def run_myth(options: argparse.Namespace) -> int:
    """Print one myth; 0."""
    one = folklore.myth(options.id)
    if options.json:
        documents.print_document(documents.MythDocument("kvmnb.myth/1", documents.myth_part(one), one.text[1]))
        return 0
    draw = {"text": pages.as_text, "md": pages.as_markdown, "html": pages.as_html}[options.format]
    print(draw(one.text[0], one.name, _FACTS, sections(one)))
    return 0


def page() -> str:
    """All myths as one Markdown page."""
    parts = [
        "# Myths\n\nAdvice that is often repeated and does not hold, or holds no longer. `kvmnb audit` tells, as info, "
        "where a host or a guest shows the sign of one; `kvmnb myth ID` prints one of these.\n\n"
        + "\n".join(f"* [{one.title}](#{_anchor(one.title)}) (`{one.name}`)" for one in folklore.myths())
        + "\n"
    ]
    parts += [pages.as_markdown(one.title, one.name, _FACTS, sections(one), level=2) for one in folklore.myths()]
    return "\n".join(parts)


def _anchor(title: str) -> str:
    """The anchor that Markdown viewers give to a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
