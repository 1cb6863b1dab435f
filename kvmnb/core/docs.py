"""Docstrings with fixed headings, read as a mapping from heading to text."""

from __future__ import annotations

import inspect
import re

_HEADING = re.compile(r"^([A-Z][A-Za-z ]{2,30})\n(?=[ ]{4}\S)", re.MULTILINE)


def sections(docstring: str) -> tuple[str, dict[str, str]]:
    """The title line, and each heading's text with its indent removed.

    A heading is a line at the left margin that is followed by an indented text.

    >>> sections("Title.\\n\\nCost\\n    None.\\n")
    ('Title.', {'Cost': 'None.'})
    """
    text = inspect.cleandoc(docstring)
    title, _, body = text.partition("\n")
    parts = _HEADING.split("\n" + body)
    found = {
        heading.strip(): inspect.cleandoc("\n" + content)
        for heading, content in zip(parts[1::2], parts[2::2], strict=True)
    }
    return title.strip(), found
