"""What was read back after a write: holds, differs, or not applicable here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kvmnb.plan.plan import Change
from kvmnb.show import template, words
from kvmnb.tunable.tunable import State, Verdict

Verdicts = Sequence[tuple[Change, Verdict]]


def html(verdicts: Verdicts) -> str:
    """The verdicts as one output."""
    return template.enclose(fragment(verdicts))


def fragment(verdicts: Verdicts) -> str:
    """The verdicts to stand inside another output."""
    several = len({change.tunable.target for change, _ in verdicts}) > 1
    return template.fragment("verdicts", verdicts=verdicts, headline=headline(verdicts), several=several)


def text(verdicts: Verdicts) -> str:
    """The verdicts as lines."""
    lines = (f"{words.WORD_OF_STATE[verdict.state]}: {change.tunable}" for change, verdict in verdicts)
    return "\n".join([headline(verdicts), *lines])


def headline(verdicts: Verdicts) -> str:
    """How many hold."""
    counted = Counter(verdict.state for _, verdict in verdicts)
    said = [f"{counted[state]} {_said(state, counted[state])}" for state in State if counted[state]]
    sign = words.SIGN_OF_STATE[State.DIFFERS if counted[State.DIFFERS] else State.HOLDS]
    return f"{sign} Read back: {words.listed(said)}" if said else "There is nothing to read back"


def _said(state: State, count: int) -> str:
    """The state as a verb that agrees with the count."""
    word = words.WORD_OF_STATE[state]
    return word if count == 1 or state is State.NOT_APPLICABLE else word.removesuffix("s")
