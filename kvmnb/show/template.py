"""HTML from templates: everything that is not a template's own text is escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from kvmnb.show import words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def fragment(name: str, /, **values: Any) -> str:
    """The HTML of a template without the style, to stand inside another output."""
    return _environment().get_template(f"{name}.j2").render(values)


def page(name: str, /, **values: Any) -> str:
    """The HTML of a template as one output: with the style, and scoped so that it touches nothing else."""
    return enclose(fragment(name, **values))


def enclose(html: str) -> str:
    """An HTML text as one output, with the style."""
    return f'<div class="kvmnb"><style>{style()}</style>\n{html}</div>'


def scope(html: str) -> str:
    """An HTML text that stands beside an output with the style, as in a form."""
    return f'<div class="kvmnb">{html}</div>'


@cache
def style() -> str:
    """The style sheet that each output carries, without comments and line ends."""
    environment = _environment()
    assert environment.loader is not None, "the environment is made with one"
    source, _, _ = environment.loader.get_source(environment, "kvmnb.css")
    return re.sub(r"\s*\n\s*", "", re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("kvmnb.show", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        prose=prose,
        shown=words.shown,
        plural=words.plural,
        diff_lines=diff_lines,
        added=lambda diff: _count(diff, "add"),
        removed=lambda diff: _count(diff, "del"),
    )
    environment.globals.update(words=words)
    return environment


def prose(text: str) -> Markup:
    """Plain paragraphs and ``*`` lists as HTML; text between double backquotes is code."""
    from markupsafe import Markup, escape

    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        if lines and all(line.startswith(("* ", "  ")) for line in lines):
            points = re.split(r"(?:^|\n)\* ", block)[1:]
            blocks.append("<ul>" + "".join(f"<li>{escape(' '.join(point.split()))}</li>" for point in points) + "</ul>")
        else:
            blocks.append(f"<p>{escape(' '.join(block.split()))}</p>")
    return Markup(re.sub(r"``(.+?)``", r"<code>\1</code>", "".join(blocks)))


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """Each line of a unified diff with its kind: ``add``, ``del``, ``hunk`` or ``same``."""
    return [(_kind(line), line) for line in diff.splitlines()]


def _kind(line: str) -> str:
    if line.startswith(("---", "+++", "@@")):
        return "hunk"
    return {"+": "add", "-": "del"}.get(line[:1], "same")


def _count(diff: str, kind: str) -> int:
    return sum(found == kind for found, _ in diff_lines(diff))
