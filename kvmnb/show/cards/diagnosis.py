"""The card of a diagnosis: what is slow, on what, who causes it, and what to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from kvmnb.advise import registry
from kvmnb.advise.finding import Severity
from kvmnb.core.errors import KvmnbError
from kvmnb.measure.diagnose.diagnosis import Diagnosis, Symptom, pattern
from kvmnb.show import template, words
from kvmnb.show.cards.finding import subject

_MEANING, _REFUTED = "What it means", "What would refute it"


@dataclass(frozen=True, slots=True)
class Shown:
    """A symptom as the template takes it."""

    symptom: Symptom
    where: str
    means: str
    refuted: str
    answers: tuple[tuple[str, str], ...]
    """Each rule that answers it, with its title."""


def html(diagnosis: Diagnosis) -> str:
    """The card."""
    return template.page(
        "diagnosis",
        diagnosis=diagnosis,
        headline=headline(diagnosis),
        symptoms=[_shown(one) for one in diagnosis.symptoms],
        unjudged=list(Counter((one.id, one.reason) for one in diagnosis.not_checked).items()),
        healthy=sorted(Counter(name for name, _ in diagnosis.checked).items()),
    )


def text(diagnosis: Diagnosis) -> str:
    """The card as lines."""
    lines = [f"{one.severity.value} {one.id} on {subject(one.subject)}: {one.title}" for one in diagnosis.symptoms]
    return "\n".join([headline(diagnosis), *lines])


def headline(diagnosis: Diagnosis) -> str:
    """How much was found of what could be judged; the length of the window is said where it is asked for."""
    counted = Counter(one.severity for one in diagnosis.symptoms)
    worst = words.listed([f"{counted[severity]} {severity.value}" for severity in Severity if counted[severity]])
    found = f"{words.plural(len(diagnosis.symptoms), 'sign')} of slowness: {worst}" if worst else "No sign of slowness"
    rest = f"{words.plural(len(diagnosis.checked), 'judgement')} found none"
    unjudged = f", {len(diagnosis.not_checked)} not checked" if diagnosis.not_checked else ""
    return f"{found}; {rest}{unjudged}"


def _shown(one: Symptom) -> Shown:
    answers = tuple((rule, _title(rule)) for rule in one.answers)
    told = pattern(one.id).text[1]
    return Shown(one, subject(one.subject), told.get(_MEANING, ""), told.get(_REFUTED, ""), answers)


def _title(rule: str) -> str:
    try:
        return registry.rule_or_myth(rule).title
    except KvmnbError:
        return ""
