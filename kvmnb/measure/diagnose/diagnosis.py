"""What all patterns together say of a window."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import kvmnb.measure.diagnose
from kvmnb.advise.finding import NotChecked, Severity
from kvmnb.core.discover import modules
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.measure.diagnose.pattern import Pattern, Sign
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.neighbours import Matrix
from kvmnb.tunable.spelling import percent_encode

HOST = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """A pattern that was found, with what answers it and what would refute it."""

    id: str
    subject: str
    """``host`` or ``domain/NAME``, and what lies below it; names are percent-encoded."""
    domain: str | None
    """The guest's name as it is; None for the host."""
    severity: Severity
    title: str
    saw: str
    culprits: tuple[str, ...]
    answers: tuple[str, ...]
    refuted_by: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is slow, on what, and who causes it; gravest first."""

    seconds: float
    symptoms: tuple[Symptom, ...]
    not_checked: tuple[NotChecked, ...]
    checked: tuple[tuple[str, str], ...]
    """Pattern and subject of each judgement that found nothing."""
    neighbours: Matrix | Gap | None = None
    """Who takes whose CPU; a gap where that cannot be told, None where nobody looked."""
    guests: tuple[tuple[str, str], ...] = ()
    """UUID and name of the guests that ran."""


@cache
def patterns() -> tuple[Pattern, ...]:
    """Every pattern, by id."""
    found = (getattr(module, "PATTERN", None) for module in modules(kvmnb.measure.diagnose))
    return tuple(sorted((one for one in found if isinstance(one, Pattern)), key=lambda one: one.id))


def pattern(name: str) -> Pattern:
    """The pattern of this id; KvmnbError that names near ones."""
    known = {one.id: one for one in patterns()}
    if name not in known:
        near = " or ".join(difflib.get_close_matches(name, list(known), n=3)) or "one of docs/diagnosis.md"
        raise KvmnbError(f"there is no diagnosis pattern {name[:60]!r}; did you mean {near}?")
    return known[name]


def diagnose(signals: Signals) -> Diagnosis:
    """Ask every pattern about the host and about each guest that ran."""
    symptoms: list[Symptom] = []
    not_checked: list[NotChecked] = []
    checked: list[tuple[str, str]] = []
    for one in patterns():
        for subject, domain, signs in _judgements(one, signals):
            before = len(symptoms)
            try:
                for sign in signs:
                    symptoms.append(_symptom(one, subject, domain, sign))
            except NotSeen as unseen:
                not_checked.append(NotChecked(one.id, subject, str(unseen)))
                continue
            if len(symptoms) == before:
                checked.append((one.id, subject))
    ranked = sorted(symptoms, key=lambda one: (one.severity.rank, one.id, one.subject))
    guests = tuple(sorted(signals.guests.items(), key=lambda one: one[1]))
    return Diagnosis(
        signals.window.seconds, tuple(ranked), tuple(not_checked), tuple(checked), signals.neighbours, guests
    )


def _judgements(one: Pattern, signals: Signals) -> Iterator[tuple[str, str | None, Iterator[Sign]]]:
    if one.check_host is not None:
        yield HOST, None, one.check_host(signals)
    if one.check_guest is not None:
        for uuid, name in sorted(signals.guests.items(), key=lambda guest: guest[1]):
            yield f"domain/{percent_encode(name)}", name, one.check_guest(signals, uuid)


def _symptom(one: Pattern, subject: str, domain: str | None, sign: Sign) -> Symptom:
    text = one.text[1]
    return Symptom(
        id=one.id,
        subject=f"{subject}/{sign.part}" if sign.part else subject,
        domain=domain,
        severity=sign.severity or one.severity,
        title=one.title,
        saw=sign.saw,
        culprits=sign.culprits,
        answers=one.answers,
        refuted_by=" ".join(text["What would refute it"].replace("``", "`").split()),
        sources=tuple(line.strip().removeprefix("* ") for line in text["Sources"].splitlines() if line.strip()),
    )
