"""What a rule found, and how safe it is to follow it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmnb.tunable.tunable import Want, When


class Severity(Enum):
    """How grave a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Safety(Enum):
    """What following a finding asks of the operator.

    SAFE: no restart, no interruption, no loss of durability, security or migration, undone at once.
    DISRUPTIVE: any of these, each named. MANUAL: cannot or must not be done from here.
    """

    SAFE = "SAFE"
    DISRUPTIVE = "DISRUPTIVE"
    MANUAL = "MANUAL"


class Sure(Enum):
    """How sure a finding is."""

    CERTAIN = "certain"
    """The facts alone prove it."""
    LIKELY = "likely"
    """The configuration shows the pattern; its effect was not measured."""
    POSSIBLE = "possible"
    """It rests on something that only a person can confirm."""


class Effect(Enum):
    """What following a finding is expected to bring, greatest first: an expectation, never a measurement."""

    LARGE = "large"
    """Multiples, or it keeps the guest's data, its memory or the guest itself."""
    MODERATE = "moderate"
    """Some tens of per cent for loads that meet the pattern."""
    SMALL = "small"
    """A few per cent, evener answers, or space."""
    INDIRECT = "indirect"
    """Nothing gets faster: it shows, permits or protects something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a rule's check yields; the registry adds the rule's own words to make a Finding."""

    saw: str
    """What was seen: values with their units, and where they were read."""
    wants: tuple[Want, ...] = ()
    """What should be set; empty where a person must decide."""
    safety: Safety = Safety.SAFE
    costs: tuple[str, ...] = ()
    """Each thing that following it costs, as a sentence; required unless SAFE."""
    severity: Severity | None = None
    """Where it differs from the rule's own."""
    sure: Sure = Sure.CERTAIN
    by_hand: tuple[str, ...] = ()
    """What a person types or decides, where the finding is MANUAL."""
    note: str | None = None
    """What the finding rests on (intent, load not measured), or what is missing here."""
    subject: str | None = None
    """Below the domain or the host, such as ``cpufreq``; None for the whole of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A pattern that was found, with all that a reader needs to judge it."""

    id: str
    subject: str
    """``host`` or ``domain/NAME``, and what lies below it; names are percent-encoded."""
    domain: str | None
    """The domain's name as it is; None for the host."""
    severity: Severity
    effect: Effect
    title: str
    saw: str
    sure: Sure
    safety: Safety
    costs: tuple[str, ...]
    when: When
    wants: tuple[Want, ...]
    by_hand: tuple[str, ...]
    note: str | None
    sources: tuple[str, ...]
    rests_on: tuple[str, ...] = ()
    """What of a person's intent it rests on, and whose word that is; the note tells it too."""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A rule that could not judge a subject, and why."""

    id: str
    subject: str
    reason: str
