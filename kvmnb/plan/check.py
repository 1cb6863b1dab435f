"""What was asked before a plan is applied, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What a question came to, gravest first."""

    STOPS = "stops"
    """The plan is refused until this is settled."""
    TOLD = "told"
    """The reader should know it; nothing is refused."""
    UNKNOWN = "unknown"
    """It could not be asked here; the sentence says why. It is never taken for a pass."""
    PASSED = "passed"
    """It was asked and nothing stands against the plan."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question about one subject, with its answer as a sentence for people."""

    question: str
    """``hugepages``, ``memory``, ``locked``, ``images``, ``schema``, ``definition``, ``command-line``,
    ``owner``, ``job``, ``managed-save``, ``snapshots``, ``migration``."""
    subject: str
    """A domain's name, hostile text, or ``host``."""
    outcome: Outcome
    said: str


OVERRIDABLE = frozenset({"owner"})
"""Questions whose stop a person may override, since only they know what the other program will do."""


def gravest_first(checks: list[Check]) -> tuple[Check, ...]:
    """The checks as they are shown."""
    order = list(Outcome)
    return tuple(sorted(checks, key=lambda check: (order.index(check.outcome), check.subject, check.question)))
