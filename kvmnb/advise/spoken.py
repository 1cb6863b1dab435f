"""What a rule saw, said as a finding in the tone of the aim."""

from __future__ import annotations

from kvmnb.advise.aim import Aim, Goal, Overlay
from kvmnb.advise.finding import Finding, Safety, Seen
from kvmnb.advise.intent import Intent
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.advise.voice import Tone
from kvmnb.facts.domain import Domain
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.tunable import When

_LATEST_FIRST = (When.HOST_BOOT, When.GUEST_START, When.NOW)


def spoken(rule: Rule, subject: str, domain: Domain | None, what: Seen, aim: Aim, view: View) -> Finding:
    """The finding: the rule's words, as grave and as safe as the aim has it, with what it rests on."""
    rests_on = tuple(dict.fromkeys((*_by_aim(rule, domain, aim, view.intent), *view.rests)))
    voices = rule.heard(aim)
    severity = what.severity or next((one.severity for one in reversed(voices.values()) if one.severity), rule.severity)
    by_hand = [one for one in voices.values() if one.tone is Tone.BY_HAND]
    weighed = by_hand[0] if by_hand and what.safety is not Safety.MANUAL else None
    notes = [what.note, f"left to a person: {weighed.why}" if weighed is not None else None]
    notes.append(f"rests on: {', '.join(rests_on)}" if rests_on else None)
    return Finding(
        id=rule.id,
        subject=subject if what.subject is None else f"{subject}/{what.subject}",
        domain=None if domain is None else domain.name,
        severity=severity,
        effect=rule.effect,
        title=rule.title,
        saw=what.saw,
        sure=what.sure,
        safety=what.safety if weighed is None else Safety.MANUAL,
        costs=what.costs,
        when=_when(what),
        wants=what.wants if weighed is None else (),
        by_hand=what.by_hand if weighed is None else _commands(what),
        note="; ".join(note for note in notes if note) or None,
        sources=rule.sources,
        rests_on=rests_on,
    )


def _by_aim(rule: Rule, domain: Domain | None, aim: Aim, intent: Intent) -> tuple[str, ...]:
    """What of a person's aim makes the rule speak otherwise than without any word."""
    by_goal = Goal.BALANCED not in rule.goals or aim.goal in rule.voices
    rests = [intent.says_goal(domain)] if by_goal else []
    rests += [intent.says_overlay(one, domain) for one in Overlay if one in rule.heard(aim)]
    return tuple(one for one in rests if one is not None)


def _when(what: Seen) -> When:
    # A pin that is wanted live too takes effect now; its persistent twin only keeps it.
    live = {f"cputune/{want.tunable.path}/@cpuset" for want in what.wants if isinstance(want.tunable, DomainLive)}
    times = [want.tunable.when for want in what.wants if getattr(want.tunable, "path", None) not in live]
    return next((when for when in _LATEST_FIRST if when in times), When.NOW)


def _commands(what: Seen) -> tuple[str, ...]:
    return (*what.by_hand, *(want.tunable.command(want.value) for want in what.wants))
