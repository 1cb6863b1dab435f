"""All rules, found by walking this package, and the audit that asks each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import kvmnb.advise
from kvmnb.advise.conflicts import Conflict, followed, settle
from kvmnb.advise.finding import Finding, NotChecked, Seen
from kvmnb.advise.folklore import PREFIX, myths
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.order import ranked
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.discover import modules
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.load import Load
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.spelling import percent_encode
from kvmnb.tunable.tunable import When

_LATEST_FIRST = (When.HOST_BOOT, When.GUEST_START, When.NOW)


@dataclass(frozen=True, slots=True)
class Audit:
    """What all rules say of one host and its guests, worst first."""

    goal: Goal
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    checked: tuple[tuple[str, str], ...]
    """Rule id and subject of each judgement that found nothing."""
    conflicts: tuple[Conflict, ...] = ()
    """Findings that cannot all be followed, and which of them waits."""

    @property
    def followed(self) -> tuple[Finding, ...]:
        """The findings that can be followed together: without those that wait for another, and without myths."""
        return tuple(one for one in followed(self.findings, self.conflicts) if not one.id.startswith(PREFIX))


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    found = [module.RULE for module in modules(kvmnb.advise) if isinstance(getattr(module, "RULE", None), Rule)]
    return tuple(sorted(found, key=lambda rule: rule.id))


def rule(rule_id: str) -> Rule:
    """The rule of this id; KvmnbError that names near ones where there is none."""
    import difflib

    for one in rules():
        if one.id == rule_id:
            return one
    near = difflib.get_close_matches(rule_id, [one.id for one in rules()], n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`kvmnb rules` lists them"
    raise KvmnbError(f"there is no rule {rule_id[:60]!r}; {hint}")


def audit(
    host: Host,
    domains: Sequence[Domain],
    intent: Intent,
    *,
    only: Sequence[str] | None = None,
    judged: Sequence[str] | None = None,
    load: Load | None = None,
) -> Audit:
    """Ask every rule and every myth (or ``only`` these ids) of the host and of each domain (or ``judged`` these names).

    ``load`` holds the rates over a window, where one was measured.

    All domains count for the placement and for pins that overlap, also those that are not judged.
    """
    view = View(host, domains, intent, load)
    domains_judged = [
        (domain, f"domain/{percent_encode(domain.name)}", view.goal(domain))
        for domain in view.domains
        if judged is None or domain.name in judged
    ]
    host_judged = [(None, "host", intent.goal)] if judged is None else []
    findings: list[Finding] = []
    not_checked: list[NotChecked] = []
    checked: list[tuple[str, str]] = []
    for one in (*rules(), *myths()):
        if only is not None and one.id not in only:
            continue
        for domain, subject, goal in host_judged if one.scope == "host" else domains_judged:
            if goal not in one.goals:
                continue
            try:
                quiet = True
                for what in _ask(one, domain, view):
                    quiet = False
                    findings.append(_finding(one, subject, domain, what))
            except NotSeen as unseen:
                # What was found before stands; the rest of the subject is not checked.
                not_checked.append(NotChecked(one.id, subject, str(unseen)))
                continue
            if quiet:
                checked.append((one.id, subject))
    found = ranked(findings)
    return Audit(intent.goal, found, tuple(not_checked), tuple(checked), settle(found, view))


def _ask(one: Rule, domain: Domain | None, view: View) -> Iterator[Seen]:
    if domain is None:
        assert one.check_host is not None
        return one.check_host(view)
    assert one.check_domain is not None
    return one.check_domain(domain, view)


def _finding(one: Rule, subject: str, domain: Domain | None, what: Seen) -> Finding:
    # A pin that is wanted live too takes effect now; its persistent twin only keeps it.
    live = {f"cputune/{want.tunable.path}/@cpuset" for want in what.wants if isinstance(want.tunable, DomainLive)}
    times = [want.tunable.when for want in what.wants if getattr(want.tunable, "path", None) not in live]
    return Finding(
        id=one.id,
        subject=subject if what.subject is None else f"{subject}/{what.subject}",
        domain=None if domain is None else domain.name,
        severity=what.severity or one.severity,
        effect=one.effect,
        title=one.title,
        saw=what.saw,
        sure=what.sure,
        safety=what.safety,
        costs=what.costs,
        when=next((when for when in _LATEST_FIRST if when in times), When.NOW),
        wants=what.wants,
        by_hand=what.by_hand,
        note=what.note,
        sources=one.sources,
    )
