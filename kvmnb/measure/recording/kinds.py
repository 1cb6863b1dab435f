"""Tells a recording of series from a recorded host, without reading it."""

from __future__ import annotations

from pathlib import Path

MAGIC = b"PAR1"
ENDING = ".parts"
"""Of the folder beside a recording that is being made."""


def folder_of(target: Path) -> Path:
    """Where the parts of a recording stand while it is made."""
    return target.with_name(target.name + ENDING)


def is_series(path: Path) -> bool:
    """Whether a recording of series stands there, or was begun there."""
    if path.is_dir():
        return path.name.endswith(ENDING)
    if not path.exists():
        return path.name != "" and folder_of(path).is_dir()
    if not path.is_file():
        # Of a pipe a reader would wait for ever.
        return False
    try:
        with open(path, "rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        # Whoever opens it says why not.
        return False
