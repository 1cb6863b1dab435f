"""Where in an element a field stands, so that one line declares a property and how it is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

REQUIRED: Any = object()


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A path below an element, how its text is read, and its value where it is absent."""

    path: str
    parser: Callable[[str], Any]
    absent: Any


def at(path: str, parser: Callable[[str], Any] = str, absent: Any = None) -> Any:
    """A dataclass field that is read from ``path``: ``driver/@cache``, ``@type``, ``quota``, ``readonly?``.

    Without ``absent`` a missing value is None; with ``REQUIRED`` it is a gap.
    """
    return dataclasses.field(metadata={"at": Place(path, parser, absent)})


def place_of(field: dataclasses.Field[Any]) -> Place | None:
    """Where a field stands; None for a field that is not declared with ``at``."""
    found: Place | None = field.metadata.get("at")
    return found
