"""Where in an element a field stands, so that one line declares a property and how it is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

REQUIRED: Any = object()


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A path below an element, how its text is read, and its value where it is absent.

    ``unit`` is the unit of a size whose element has no ``@unit``; None for what is no size.
    """

    path: str
    parser: Callable[[str], Any]
    absent: Any
    unit: str | None = None


def at(path: str, parser: Callable[[str], Any] = str, absent: Any = None) -> Any:
    """A dataclass field that is read from ``path``: ``driver/@cache``, ``@type``, ``quota``, ``readonly?``.

    ``name?`` is whether the element is there, ``name/**`` how deep elements of this name lie in one another.
    Without ``absent`` a missing value is None; with ``REQUIRED`` it is a gap.
    """
    return dataclasses.field(metadata={"at": Place(path, parser, absent)})


def sized(path: str, unit: str = "KiB", absent: Any = None) -> Any:
    """A dataclass field that is an element's text, a size in the element's ``@unit``, in bytes."""
    return dataclasses.field(metadata={"at": Place(path, str, absent, unit)})


def place_of(field: dataclasses.Field[Any]) -> Place | None:
    """Where a field stands; None for a field that is not declared with ``at`` or ``sized``."""
    found: Place | None = field.metadata.get("at")
    return found
