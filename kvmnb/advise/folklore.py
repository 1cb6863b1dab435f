"""What a myth is: advice that is often repeated and does not hold, or holds no longer.

A myth file is like a rule file: one docstring (title and the headings below), one ``MYTH``, and one function that
sees whether the host or a guest shows the sign of it. The finding asks for nothing and blames nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import kvmnb.advise.myth
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.core.discover import modules
from kvmnb.core.errors import KvmnbError
from kvmnb.core.near import near

HEADINGS = ("What is said", "What is true", "Where it comes from", "When it holds", "Look by hand", "Sources")
PREFIX = "myth."


@dataclass(slots=True)
class Myth(Rule):
    """One myth; its id is ``myth.`` and the name of its file."""

    headings: ClassVar[tuple[str, ...]] = HEADINGS

    id: str
    severity: Severity = Severity.INFO
    goals: tuple[Goal, ...] = ALL_GOALS
    basis: str = "documented"
    effect: Effect = Effect.INDIRECT
    effect_basis: str = "documented: it spares work that brings nothing"

    @property
    def name(self) -> str:
        """The id without its area, as a person types it."""
        return self.id.removeprefix(PREFIX)

    def sign(self, saw: str, *by_hand: str, subject: str | None = None) -> Seen:
        """The finding that a host or a guest shows the sign of it."""
        return Seen(
            saw=saw,
            safety=Safety.MANUAL,
            sure=Sure.POSSIBLE,
            by_hand=by_hand,
            note=f"often advised, and worth a second look: `kvmnb myth {self.name}` tells when it holds",
            subject=subject,
        )


@cache
def myths() -> tuple[Myth, ...]:
    """Every myth, by id."""
    found = [module.MYTH for module in modules(kvmnb.advise.myth) if isinstance(getattr(module, "MYTH", None), Myth)]
    return tuple(sorted(found, key=lambda one: one.id))


def myth(name: str) -> Myth:
    """The myth of this name, with or without ``myth.`` before it; KvmnbError that names near ones."""
    short = name.removeprefix(PREFIX)
    for one in myths():
        if one.name == short:
            return one
    raise KvmnbError(f"there is no myth {short[:60]!r}; {near(short, names(), '`kvmnb myths` lists them')}")


def names() -> Iterator[str]:
    """The name of each myth."""
    return (one.name for one in myths())
