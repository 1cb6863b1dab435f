"""The words and signs for what a reader sees; a colour never stands alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.core.xml.mask import mask
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.plan.check import Outcome
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.running_guest import RunningGuest
from kvmnb.tunable.tunable import State, Tunable, Undo, When

T = TypeVar("T")

SIGN_OF_SEVERITY = {
    Severity.CRITICAL: "■",
    Severity.HIGH: "▲",
    Severity.MEDIUM: "◆",
    Severity.LOW: "▼",
    Severity.INFO: "●",
}

# What a reader needs of a rule to judge a finding; the rest is for whoever follows it.
FOREMOST = ("Why it hurts", "Leave it when", "What is true", "When it holds")

SIGN_OF_STATE = {State.HOLDS: "✔", State.DIFFERS: "✘", State.NOT_APPLICABLE: "–"}

WORD_OF_STATE = {
    State.HOLDS: "holds",
    State.DIFFERS: "differs",
    State.NOT_APPLICABLE: "not applicable here",
}

MEANING_OF_SAFETY = {
    Safety.SAFE: "no restart, no interruption, taken back at once",
    Safety.DISRUPTIVE: "it costs something, named below",
    Safety.MANUAL: "by hand only; the commands are shown",
}

MEANING_OF_SURE = {
    Sure.CERTAIN: "the facts alone prove it",
    Sure.LIKELY: "the configuration shows it; its effect was not measured",
    Sure.POSSIBLE: "only a person can confirm what it rests on",
}

EFFECT = {
    When.NOW: "at once",
    When.GUEST_START: "when the guest is next stopped and started",
    When.HOST_BOOT: "when the host next boots",
}

EFFECT_BRIEF = {When.NOW: "at once", When.GUEST_START: "at its next start", When.HOST_BOOT: "at the host's boot"}

OUTCOME = {
    Outcome.STOPS: "✘ stops this plan:",
    Outcome.TOLD: "▲",
    Outcome.UNKNOWN: "? not checked:",
    Outcome.PASSED: "✔",
}

UNDO = {
    Undo.EXACT: "exact: the former value is put back",
    Undo.EQUAL_IN_EFFECT: "equal in effect: it acts as before, libvirt may still list it",
    Undo.NEEDS_GUEST: "needs the guest's help",
    Undo.NEEDS_GUEST_STOPPED: "needs the guest stopped",
    Undo.LOSSY: "lossy: something does not come back",
    Undo.NONE: "none",
}


def shown(value: str | None) -> str:
    """A tunable's value for a reader, secrets masked."""
    return "absent" if value is None else mask(value)


def plural(count: int, word: str, words: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "guest"), plural(2, "guest"), plural(0, "policy", "policies")
    ('1 guest', '2 guests', '0 policies')
    """
    return f"{count} {word if count == 1 else words or word + 's'}"


def listed(parts: list[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def setting(tunable: Tunable) -> str:
    """A tunable's place without its kind and target, as the table of a plan names it."""
    if isinstance(tunable, DomainXml | RunningGuest):
        return tunable.path
    return f"/sys/{tunable.path}" if hasattr(tunable, "path") else str(tunable)


def layer(tunable: Tunable) -> str:
    """Where a tunable lives, in a reader's words."""
    if isinstance(tunable, DomainXml):
        return "persistent XML"
    return "running guest" if isinstance(tunable, RunningGuest) else "host"


def seen(read: Callable[[], T]) -> T | Gap:
    """A fact, or the gap in its place: nothing is drawn as healthy that was not seen."""
    try:
        return read()
    except NotSeen as unseen:
        return unseen.gap


def or_gap(read: Callable[[], str]) -> str:
    """A text made of facts, or why they were not seen."""
    found = seen(read)
    return f"not seen: {found.reason}" if isinstance(found, Gap) else found
