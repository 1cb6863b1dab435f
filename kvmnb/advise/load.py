"""What one look at a host cannot tell: rates."""

from __future__ import annotations

from kvmnb.facts.gap import Gap, NotSeen


def no_window(what: str) -> NotSeen:
    """What a rule raises that judges a rate: ``what`` was not measured, and one look does not show it."""
    return NotSeen(Gap(what, "no window: rates are not measured"))
