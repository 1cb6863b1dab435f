"""Findings made by hand, to plan and apply without a rule."""

from __future__ import annotations

from kvmnb.advise.finding import Effect, Finding, Safety, Severity, Sure
from kvmnb.tunable.tunable import Want, When


def a_finding(
    *wants: Want, safety: Safety = Safety.SAFE, rule: str = "cpu.mode", by_hand: tuple[str, ...] = ()
) -> Finding:
    """A finding that wants these."""
    return Finding(
        id=rule,
        subject="host",
        domain=None,
        severity=Severity.HIGH,
        effect=Effect.MODERATE,
        title="a pattern",
        saw="it was seen",
        sure=Sure.CERTAIN,
        safety=safety,
        costs=() if safety is Safety.SAFE else ("the guest has to stop and start",),
        when=When.NOW,
        wants=wants,
        by_hand=by_hand,
        note=None,
        sources=("a source",),
    )
