"""Facts as they are named in JSON, in folded tables: for who looks something up in a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kvmnb.show import template

MOST_ROWS = 250
"""Of one table; a reader who wants more reads the JSON."""

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Group:
    """The facts below one name."""

    name: str
    rows: tuple[tuple[str, str], ...]
    left_out: int


def fragment(facts: Mapping[str, Value]) -> str:
    """The tables, without the style."""
    return template.fragment("facts_table", groups=groups(facts.items()))


def groups(facts: Iterable[tuple[str, Value]]) -> list[Group]:
    """The facts by the first two parts of their names."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, value in facts:
        first, dot, rest = name.partition(".")
        group = rest.partition(".")[0].partition("[")[0] if dot else first
        found.setdefault(group, []).append((rest or name, "none" if value is None else str(value)))
    return [Group(name, tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS)) for name, rows in found.items()]
