"""A text with headings as the terminal, Markdown and HTML show it: rules and myths look alike."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from kvmnb.terminal.words import coloured

Sections = Sequence[tuple[str, str]]


def as_text(title: str, name: str, facts: str, sections: Sections) -> str:
    """For the terminal."""
    lines = [coloured(f"{title}  [{name}]", "1"), facts]
    for heading, text in sections:
        lines.extend(("", coloured(heading, "4"), *(f"  {line}".rstrip() for line in text.splitlines())))
    return "\n".join(lines)


def as_markdown(title: str, name: str, facts: str, sections: Sections, level: int = 1) -> str:
    """As a Markdown page, or a part of one whose title has this level."""
    parts = [f"{'#' * level} {title}", f"`{name}`. {facts}"]
    for heading, text in sections:
        parts.extend((f"{'#' * (level + 1)} {heading}", text))
    return "\n\n".join(parts) + "\n"


def as_html(title: str, name: str, facts: str, sections: Sections) -> str:
    """As an HTML fragment; text between double backquotes is code, lines with a star are a list."""
    parts = [f"<h1>{html.escape(title)}</h1>", f"<p><code>{html.escape(name)}</code>. {html.escape(facts)}</p>"]
    for heading, text in sections:
        parts.append(f"<h2>{html.escape(heading)}</h2>{''.join(_block(block) for block in text.split(chr(10) * 2))}")
    return "\n".join(parts)


def _block(text: str) -> str:
    if all(line.startswith(("* ", "  ")) for line in text.splitlines()):
        points = re.split(r"(?:^|\n)\* ", text)[1:]
        return "<ul>" + "".join(f"<li>{_inline(point)}</li>" for point in points) + "</ul>"
    return f"<p>{_inline(text)}</p>"


def _inline(text: str) -> str:
    return re.sub(r"``(.+?)``", r"<code>\1</code>", html.escape(" ".join(text.split()), quote=False))
