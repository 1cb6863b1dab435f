"""Findings are told in the order in which they matter."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

from kvmnb.advise.finding import Effect, Finding, Safety, Severity, Sure
from kvmnb.advise.order import ranked
from kvmnb.tunable.tunable import When
from tests.findings import a_finding


def named(name: str, **changes: Any) -> Finding:
    return replace(a_finding(), subject=name, **changes)


# Each is ahead of the next by one key alone, and behind it by every later key.
IN_ORDER = (
    named("graver", severity=Severity.CRITICAL, effect=Effect.INDIRECT, sure=Sure.POSSIBLE, safety=Safety.MANUAL),
    named("greater effect", effect=Effect.LARGE, sure=Sure.POSSIBLE, safety=Safety.MANUAL, when=When.HOST_BOOT),
    named("surer", sure=Sure.CERTAIN, safety=Safety.MANUAL, when=When.HOST_BOOT),
    named("safe", sure=Sure.LIKELY, safety=Safety.SAFE, when=When.HOST_BOOT),
    named("at once", sure=Sure.LIKELY, safety=Safety.DISRUPTIVE, when=When.NOW),
    named("at the guest's start", sure=Sure.LIKELY, safety=Safety.DISRUPTIVE, when=When.GUEST_START),
    named("at the host's boot", sure=Sure.LIKELY, safety=Safety.DISRUPTIVE, when=When.HOST_BOOT),
    named("by hand", sure=Sure.LIKELY, safety=Safety.MANUAL, when=When.NOW),
    named("small", effect=Effect.SMALL, sure=Sure.CERTAIN, safety=Safety.SAFE),
    named("indirect", effect=Effect.INDIRECT, sure=Sure.CERTAIN, safety=Safety.SAFE),
    named("less grave", severity=Severity.INFO, effect=Effect.LARGE, sure=Sure.CERTAIN, safety=Safety.SAFE),
)


def test_severity_then_effect_then_confidence_then_cost_decide() -> None:
    assert ranked(reversed(IN_ORDER)) == IN_ORDER
    for pair in permutations(IN_ORDER, 2):
        assert ranked(pair) == tuple(sorted(pair, key=IN_ORDER.index))


def test_equals_keep_their_order() -> None:
    first, second, third = (named(name) for name in ("c", "a", "b"))
    assert ranked([first, second, third]) == (first, second, third)


def test_ranking_twice_changes_nothing_and_nothing_to_rank_is_nothing() -> None:
    assert ranked(ranked(reversed(IN_ORDER))) == IN_ORDER
    assert ranked([]) == ()
