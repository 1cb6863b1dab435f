"""What differs between two texts, as a person reads it."""

from __future__ import annotations

import difflib
import re

_CONTEXT_LINES = 3
_NEWLINE = re.compile(r"\r\n|\n|\r")


def unified(before: str, after: str, label: str) -> str:
    """A unified diff with three lines of context, empty where the texts are equal.

    ``label`` names the text on both header lines. Line ends are not part of the lines; where nothing else
    differs, they are spelled out. Secrets are not masked here.
    """
    if before == after:
        return ""
    old, new = _lines(before), _lines(after)
    if old == new:
        old, new = _spelled(before), _spelled(after)
    name = " ".join(label.split())
    lines = difflib.unified_diff(old, new, f"{name} (before)", f"{name} (after)", n=_CONTEXT_LINES, lineterm="")
    return "\n".join(lines) + "\n"


def changed_lines(before: str, after: str) -> tuple[int, int]:
    """How many lines were added and how many were removed."""
    matcher = difflib.SequenceMatcher(None, _lines(before), _lines(after), autojunk=False)
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    return sum(code[4] - code[3] for code in changes), sum(code[2] - code[1] for code in changes)


def _lines(text: str) -> list[str]:
    lines = _NEWLINE.split(text)
    return lines if lines[-1] else lines[:-1]


def _spelled(text: str) -> list[str]:
    return [repr(line)[1:-1] for line in text.splitlines(keepends=True)]
