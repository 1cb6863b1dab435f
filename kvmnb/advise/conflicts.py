"""Findings that cannot all be followed: which one is, which one waits, and why.

Three things make two findings disagree: they want one setting with two values; their rules advise against
each other (``kvmnb.advise.opposites``); or each fits alone and both together do not (``kvmnb.advise.contended``).
Nothing is hidden: a finding that waits is still told, and can be followed when it is chosen alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kvmnb.advise.contended import contended
from kvmnb.advise.finding import Finding
from kvmnb.advise.opposites import OPPOSITES, Opposites
from kvmnb.advise.view import View
from kvmnb.tunable.domain_xml import same_value
from kvmnb.tunable.tunable import Tunable

_BY_RANK = "the one that is told first goes first: by severity, then expected effect, confidence and cost"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two findings: its rule and its subject."""

    id: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two findings that cannot both be followed."""

    followed: Side
    waits: Side
    """What a plan of the whole audit leaves out."""
    about: str
    """What they disagree about."""
    resolution: str
    reason: str
    """Why this way round, for this goal."""

    @property
    def told(self) -> str:
        """All of it as one sentence."""
        return f"{self.resolution} (they disagree about {self.about}): {self.reason}"


def settle(findings: Sequence[Finding], view: View) -> tuple[Conflict, ...]:
    """Every conflict among findings that are ranked already; one that waits makes no other wait."""
    place = {id(finding): number for number, finding in enumerate(findings)}
    found = [*_one_setting(findings), *_opposed(findings, view), *contended(findings, view)]
    found.sort(key=lambda one: (place[id(one[0])], place[id(one[1])]))
    waiting: set[Side] = set()
    settled = []
    for first, second, about, reason in found:
        followed, waits = side(first), side(second)
        if followed in waiting or waits in waiting:
            continue
        waiting.add(waits)
        settled.append(
            Conflict(
                followed=followed,
                waits=waits,
                about=about,
                resolution=f"follow {followed.id} of {followed.subject}; {waits.id} of {waits.subject} waits",
                reason=reason,
            )
        )
    return tuple(settled)


def followed(findings: Iterable[Finding], conflicts: Iterable[Conflict]) -> tuple[Finding, ...]:
    """The findings without those that wait for another."""
    waiting = {conflict.waits for conflict in conflicts}
    return tuple(finding for finding in findings if side(finding) not in waiting)


def side(finding: Finding) -> Side:
    """What names a finding in a conflict."""
    return Side(finding.id, finding.subject)


def _one_setting(findings: Iterable[Finding]) -> Iterator[tuple[Finding, Finding, str, str]]:
    """Findings that want another value of a setting than an earlier one does."""
    first: dict[Tunable, tuple[Finding, str | None]] = {}
    for finding in findings:
        for want in finding.wants:
            earlier, value = first.setdefault(want.tunable, (finding, want.value))
            if earlier is not finding and not same_value(want.value, value):
                yield earlier, finding, f"{want.tunable} as {_brief(value)} or as {_brief(want.value)}", _BY_RANK
                break


def _opposed(findings: Iterable[Finding], view: View) -> Iterator[tuple[Finding, Finding, str, str]]:
    """Findings whose rules advise against each other."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.id, []).append(finding)
    goals = {domain.name: view.goal(domain) for domain in view.domains} if by_rule else {}
    for pair in OPPOSITES:
        for one in filter(pair.first.matches, by_rule.get(pair.first.rule, ())):
            for other in filter(pair.second.matches, by_rule.get(pair.second.rule, ())):
                if pair.meet(one, other):
                    name = one.domain if one.domain is not None else other.domain
                    yield _settled(pair, one, other, view.intent.goal.value, name and goals[name].value)


def _settled(
    pair: Opposites, one: Finding, other: Finding, host_goal: str, guest_goal: str | None
) -> tuple[Finding, Finding, str, str]:
    goal = guest_goal or host_goal
    turned = pair.turned.get(goal)
    if turned is not None:
        return other, one, pair.about, f"goal {goal}: {turned}"
    return one, other, pair.about, f"goal {goal}: {pair.reason}" if pair.turned else pair.reason


def _brief(value: str | None) -> str:
    text = "absent" if value is None else " ".join(value.split())
    return text if len(text) <= 40 else f"{text[:37]}..."
