"""Text for a terminal: wrapped, coloured where that is wanted, and safe where it came from a guest."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata

from kvmnb.advise.finding import Severity
from kvmnb.tunable.spelling import percent_decode

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


def name_of(name: str) -> str:
    """A guest's name within a line: nothing in it ends the line or steers the terminal."""
    return safe(name).replace("\n", "\N{REPLACEMENT CHARACTER}")


def subject_of(subject: str) -> str:
    """A finding's subject for a reader, such as ``web server (disk vda)`` for ``domain/web%20server/disk/vda``."""
    first, *rest = subject.split("/")
    name = percent_decode(rest.pop(0)) if first == "domain" and rest else first
    below = " ".join(percent_decode(part) for part in rest)
    return name_of(f"{name} ({below})" if below else name)


def paragraph(text: str, indent: str = "", hanging: str | None = None) -> str:
    """The text wrapped to the terminal's width, at most 100 columns.

    ``indent`` stands before the first line, ``hanging`` (else the same) before the others.
    """
    width = max(min(shutil.get_terminal_size((100, 24)).columns, 100), 20)
    after = indent if hanging is None else hanging
    return textwrap.fill(safe(text), width, initial_indent=indent, subsequent_indent=after, break_on_hyphens=False)


def headed(word: Severity, text: str) -> str:
    """A severity in its colour, and a wrapped text beside it."""
    wrapped = paragraph(text, " " * 9)
    return severity(word) + wrapped[8:]


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
