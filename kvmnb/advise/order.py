"""The order in which findings are told: what to look at first.

Severity counts first, since harm comes before gain. Among equally grave findings the one with the greater
expected effect leads, then the surer one, then the one that costs less to follow: safe before disruptive
before by hand, and what works at once before what waits for a guest's start or the host's boot.
"""

from __future__ import annotations

from collections.abc import Iterable

from kvmnb.advise.finding import Effect, Finding, Safety, Sure
from kvmnb.tunable.tunable import When

_EFFECT = {one: place for place, one in enumerate(Effect)}
_SURE = {one: place for place, one in enumerate(Sure)}
_SAFETY = {one: place for place, one in enumerate(Safety)}
_WHEN = {one: place for place, one in enumerate(When)}


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, what matters most first; equals keep their order."""
    return tuple(sorted(findings, key=rank))


def rank(finding: Finding) -> tuple[int, int, int, int, int]:
    """The lower, the earlier: severity, expected effect, confidence, then what it costs to follow."""
    return (
        finding.severity.rank,
        _EFFECT[finding.effect],
        _SURE[finding.sure],
        _SAFETY[finding.safety],
        _WHEN[finding.when],
    )
