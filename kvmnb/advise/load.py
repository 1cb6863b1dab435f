"""What a rule says where its condition is a rate and nothing was measured."""

from __future__ import annotations

from kvmnb.facts.gap import Gap, NotSeen

NOT_MEASURED = "load not measured"


def no_window(what: str) -> NotSeen:
    """To be raised where only a rate could tell: the subject is then not checked. ``what`` names the rate."""
    return NotSeen(Gap(what, "no window: rates are not measured"))
