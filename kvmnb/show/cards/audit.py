"""The card of an audit: the findings worst first, what is healthy, and what could not be judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from kvmnb.advise import registry
from kvmnb.advise.conflicts import Conflict
from kvmnb.advise.finding import Finding, Severity
from kvmnb.advise.registry import Audit
from kvmnb.core.errors import KvmnbError
from kvmnb.core.xml.mask import mask
from kvmnb.show import template, words
from kvmnb.show.cards import finding as findings

_OPENED = 3


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A judgement that could not be made, in words."""

    id: str
    where: str
    reason: str


def html(audit: Audit) -> str:
    """The card."""
    return template.page(
        "audit",
        audit=audit,
        headline=headline(audit),
        severities=list(Severity),
        counts=counts(audit.findings),
        findings=[findings.Shown(finding) for finding in audit.findings],
        opened=_OPENED,
        rules=_rules(audit.findings),
        healthy=healthy(audit),
        conflicts=[conflict(one) for one in audit.conflicts],
        not_checked=[Unjudged(one.id, findings.subject(one.subject), one.reason) for one in audit.not_checked],
    )


def text(audit: Audit) -> str:
    """The card as lines: the headline, then one line for each finding."""
    return "\n".join([f"{headline(audit)} (goal {audit.aim})", *map(findings.text, audit.findings)])


def headline(audit: Audit) -> str:
    """How many findings of which severity, and how much was judged at all."""
    counted = Counter(finding.severity for finding in audit.findings)
    worst = words.listed([f"{counted[severity]} {severity.value}" for severity in Severity if counted[severity]])
    found = words.plural(len(audit.findings), "finding") + (f": {worst}" if worst else "")
    rest = f"{words.plural(len(audit.checked), 'judgement')} found nothing"
    unjudged = f", {len(audit.not_checked)} not checked" if audit.not_checked else ""
    return f"{found}; {rest}{unjudged}"


def counts(found: tuple[Finding, ...]) -> list[tuple[str, list[str]]]:
    """For each area the number of findings of each severity, the gravest area first."""
    areas: dict[str, Counter[Severity]] = {}
    for finding in found:
        areas.setdefault(finding.id.partition(".")[0], Counter())[finding.severity] += 1
    return [(area, [str(counted[severity] or "") for severity in Severity]) for area, counted in areas.items()]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A conflict, in words."""

    follow: str
    waits: str
    about: str
    reason: str


def conflict(one: Conflict) -> Disagreement:
    """A conflict as a row of the card."""
    follow, waits = (f"{side.id} on {findings.subject(side.subject)}" for side in (one.followed, one.waits))
    return Disagreement(follow, waits, mask(one.about), one.reason)


def healthy(audit: Audit) -> list[tuple[str, str]]:
    """Each rule with the subjects that it found healthy."""
    by_rule: dict[str, list[str]] = {}
    for rule_id, subject in audit.checked:
        by_rule.setdefault(rule_id, []).append(findings.subject(subject).removeprefix("guest "))
    return [(rule_id, ", ".join(subjects)) for rule_id, subjects in sorted(by_rule.items())]


@dataclass(frozen=True, slots=True)
class _Told:
    id: str
    title: str
    text: list[tuple[str, str]]


def _rules(found: tuple[Finding, ...]) -> list[_Told]:
    made = []
    for rule_id in dict.fromkeys(finding.id for finding in found):
        try:
            title = registry.rule(rule_id).title
        except KvmnbError:
            continue
        made.append(_Told(rule_id, title, findings.told(rule_id)))
    return made
