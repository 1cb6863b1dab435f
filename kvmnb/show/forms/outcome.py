"""What came of pressing a button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmnb.core.errors import KvmnbError
from kvmnb.plan.plan import Change
from kvmnb.tunable.tunable import State, Verdict

Verdicts = Sequence[tuple[Change, Verdict]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it was done, what a reader should know, and what was read back.

    ``commands``: what a person with the rights for it would type instead.
    """

    ok: bool
    sentence: str
    journal_id: str | None = None
    verdicts: Verdicts = ()
    commands: tuple[str, ...] = ()


def judged(verdicts: Verdicts, said: str, journal_id: str) -> Outcome:
    """What was written, by what was read back of it; ``said`` is what happened, without its end."""
    differing = sum(verdict.state is State.DIFFERS for _, verdict in verdicts)
    end = f", but {differing} read back differently; see the table." if differing else " and read back."
    return Outcome(not differing, said + end, journal_id, verdicts)


def failed(problem: KvmnbError, journal_id: str | None = None) -> Outcome:
    """A problem as the sentence that it is."""
    said = str(problem)
    return Outcome(False, (said[:1].upper() + said[1:]).rstrip(".") + ".", journal_id=journal_id)
