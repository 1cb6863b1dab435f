"""All rules, found by walking this package, and the audit that asks each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import kvmnb.advise
from kvmnb.advise import mute, spoken
from kvmnb.advise.aim import Aim
from kvmnb.advise.conflicts import Conflict, followed, settle
from kvmnb.advise.finding import Finding, NotChecked, Safety, Seen
from kvmnb.advise.folklore import PREFIX, myth, myths
from kvmnb.advise.intent import Intent
from kvmnb.advise.mute import Muted
from kvmnb.advise.order import ranked
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.discover import modules
from kvmnb.core.errors import KvmnbError
from kvmnb.core.near import near
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.load import Load
from kvmnb.tunable.spelling import percent_encode


@dataclass(frozen=True, slots=True)
class Audit:
    """What all rules say of one host and its guests, worst first."""

    aim: Aim
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    checked: tuple[tuple[str, str], ...]
    """Rule id and subject of each judgement that found nothing."""
    conflicts: tuple[Conflict, ...] = ()
    """Findings that cannot all be followed, and which of them waits."""

    muted: tuple[Muted, ...] = ()
    """What was found too, and a person wants to hear no more of."""

    @property
    def followed(self) -> tuple[Finding, ...]:
        """The findings that can be followed together: without those that wait for another, and without myths."""
        return tuple(one for one in followed(self.findings, self.conflicts) if not one.id.startswith(PREFIX))

    @property
    def safe(self) -> tuple[Finding, ...]:
        """Of those, the findings whose cure costs nothing and is taken back at once."""
        return tuple(one for one in self.followed if one.safety is Safety.SAFE)


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    found = [module.RULE for module in modules(kvmnb.advise) if isinstance(getattr(module, "RULE", None), Rule)]
    return tuple(sorted(found, key=lambda rule: rule.id))


def rule(rule_id: str) -> Rule:
    """The rule of this id; KvmnbError that names near ones where there is none."""
    known = {one.id: one for one in rules()}
    if rule_id not in known:
        raise KvmnbError(f"there is no rule {rule_id[:60]!r}; {near(rule_id, known, '`kvmnb rules` lists them')}")
    return known[rule_id]


def rule_or_myth(name: str) -> Rule:
    """What is heard under this id; KvmnbError that names near ones where nothing is."""
    return myth(name) if name.startswith(PREFIX) else rule(name)


@cache
def thresholds() -> dict[str, Threshold[Any]]:
    """The thresholds of every rule and myth, by name."""
    return {one.name: one for found in (*rules(), *myths()) for one in found.thresholds}


def threshold(name: str) -> Threshold[Any]:
    """The threshold of this name; KvmnbError that names near ones where there is none."""
    known = thresholds()
    if name not in known:
        raise KvmnbError(f"there is no threshold {name[:60]!r}; {near(name, known, '`docs/rules` lists them')}")
    return known[name]


def audit(
    host: Host,
    domains: Sequence[Domain],
    intent: Intent,
    *,
    only: Sequence[str] | None = None,
    judged: Sequence[str] | None = None,
    load: Load | None = None,
    today: date | None = None,
) -> Audit:
    """Ask every rule and every myth (or ``only`` these ids) of the host and of each domain (or ``judged`` these names).

    ``load`` holds the rates over a window, where one was measured. All domains count for the placement and for pins
    that overlap, also those that are not judged. Mutes hold on the day ``today`` (None: this one); rules that ``only``
    names are heard although muted.
    """
    view = View(host, domains, intent, load)
    domains_judged = [
        (domain, f"domain/{percent_encode(domain.name)}", intent.aim_of(domain))
        for domain in view.domains
        if judged is None or domain.name in judged
    ]
    host_judged = [(None, "host", intent.aim)] if judged is None else []
    aims = {aim for _, _, aim in (*host_judged, *domains_judged)}
    findings: list[Finding] = []
    not_checked: list[NotChecked] = []
    checked: list[tuple[str, str]] = []
    for one in (*rules(), *myths()):
        if only is not None and one.id not in only:
            continue
        speaks = {aim: one.speaks(aim) for aim in aims}
        for domain, subject, aim in host_judged if one.scope == "host" else domains_judged:
            if not speaks[aim]:
                continue
            before = len(findings)
            view.rests.clear()
            try:
                for what in _ask(one, domain, view):
                    findings.append(spoken.spoken(one, subject, domain, what, aim, view))
            except NotSeen as unseen:
                # What was found before stands; the rest of the subject is not checked.
                not_checked.append(NotChecked(one.id, subject, str(unseen)))
                continue
            if len(findings) == before:
                checked.append((one.id, subject))
    heard, muted = mute.part(ranked(findings), intent.mutes, today or date.today(), named=only is not None)
    return Audit(intent.aim, heard, tuple(not_checked), tuple(checked), settle(heard, view), muted)


def _ask(one: Rule, domain: Domain | None, view: View) -> Iterator[Seen]:
    if domain is None:
        assert one.check_host is not None
        return one.check_host(view)
    assert one.check_domain is not None
    return one.check_domain(domain, view)
