"""Text for a terminal: wrapped, coloured where that is wanted, and safe where it came from a guest."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata

from kvmnb.advise.finding import Severity

_COLOUR = {
    Severity.CRITICAL: "1;31",
    Severity.HIGH: "31",
    Severity.MEDIUM: "33",
    Severity.LOW: "36",
    Severity.INFO: "2",
}


def safe(text: str) -> str:
    """The text without control characters, which could write over a terminal's lines."""
    return "".join(
        one if one == "\n" or unicodedata.category(one)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for one in text
    )


def paragraph(text: str, indent: str = "") -> str:
    """The text wrapped to the terminal's width, at most 100 columns."""
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    return textwrap.fill(safe(text), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def severity(word: Severity) -> str:
    """A severity's word, padded, in its colour."""
    return coloured(f"{word.value:<8}", _COLOUR[word])


def coloured(text: str, code: str) -> str:
    """The text in an ANSI colour, where standard output is a terminal and ``NO_COLOR`` is unset."""
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def diff_line(line: str) -> str:
    """One line of a unified diff, in its colour."""
    if line.startswith("+") and not line.startswith("+++"):
        return coloured(safe(line), "32")
    if line.startswith("-") and not line.startswith("---"):
        return coloured(safe(line), "31")
    return safe(line)
