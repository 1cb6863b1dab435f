"""Facts that may be missing: a field is a value, None, or not seen.

None means that the source gives no value and its default holds. A field whose source could not be
read is left unset; reading it raises NotSeen, which carries the reason. No rule catches that: the
registry turns it into "not checked". So silence is never taken for health.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Gap:
    """A fact that could not be read, and why."""

    fact: str
    reason: str


class NotSeen(Exception):
    """A fact was asked for that could not be read."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(f"{gap.fact}: {gap.reason}")
        self.gap = gap


class Fact:
    """Base of all facts; a Gap given for a field leaves that field unset and remembered."""

    # Written by __post_init__ through object.__setattr__, since facts are frozen.
    __slots__ = ("_gaps",)
    _gaps: dict[str, Gap]

    def __post_init__(self) -> None:
        gaps: dict[str, Gap] = {}
        for name in type(self).__slots__:
            value = object.__getattribute__(self, name)
            if type(value) is Gap:
                gaps[name] = value
                object.__delattr__(self, name)
        object.__setattr__(self, "_gaps", gaps)

    def __getattr__(self, name: str) -> Any:
        """Reached only where the field is unset."""
        if not name.startswith("_"):
            gap = self._gaps.get(name)
            if gap is not None:
                raise NotSeen(gap)
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    def gap_of(self, name: str) -> Gap | None:
        """Why this field could not be read; None where it was."""
        return self._gaps.get(name)

    def gaps(self) -> tuple[Gap, ...]:
        """The gaps of this fact and of all facts below it, in the order of its fields."""
        found = list(self._gaps.values())
        for name in type(self).__slots__:
            if name not in self._gaps:
                value = object.__getattribute__(self, name)
                if isinstance(value, Fact):
                    found.extend(value.gaps())
                elif isinstance(value, tuple):
                    found.extend(_gaps_in(value))
        return tuple(found)


F = TypeVar("F", bound=Fact)


def changed(fact: F, **values: Any) -> F:
    """The fact with other values; unlike ``dataclasses.replace`` it takes a fact with gaps."""
    kept = {one: fact.gap_of(one) or getattr(fact, one) for one in type(fact).__slots__ if one not in values}
    return type(fact)(**kept, **values)


def _gaps_in(values: tuple[object, ...]) -> list[Gap]:
    found: list[Gap] = []
    for value in values:
        if isinstance(value, Fact):
            found.extend(value.gaps())
        elif isinstance(value, tuple):
            found.extend(_gaps_in(value))
    return found
