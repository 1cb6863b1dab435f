"""The demo host: a recorded server that ships with kvmnb, so that there is something to look at anywhere.

Its README tells what it is and which mistakes its guests carry.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def path() -> Path:
    """The folder of the shipped recording; it is read, never written."""
    return Path(str(files(__package__))) / "host"
