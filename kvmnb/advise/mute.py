"""A finding that a person wants to hear no more of, why, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kvmnb.advise.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """One rule silenced, everywhere or for one subject and what lies below it."""

    id: str
    reason: str
    subject: str | None = None
    until: date | None = None
    """The last day on which it holds; None: it does not end."""

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding."""
        if self.id != finding.id:
            return False
        return self.subject is None or f"{finding.subject}/".startswith(f"{self.subject}/")

    def ended(self, today: date) -> bool:
        """Whether its last day has passed."""
        return self.until is not None and self.until < today


@dataclass(frozen=True, slots=True)
class Muted:
    """A finding and the mute that covers it."""

    finding: Finding
    mute: Mute


def part(
    findings: Iterable[Finding], mutes: Sequence[Mute], today: date, *, named: bool
) -> tuple[tuple[Finding, ...], tuple[Muted, ...]]:
    """The findings that are heard, and those that are muted.

    A mute that ended is told in its finding's note. Who names the rules (``named``) hears them all, with a word.
    """
    heard: list[Finding] = []
    muted: list[Muted] = []
    for finding in findings:
        covering = [mute for mute in mutes if mute.covers(finding)]
        holding = next((mute for mute in covering if not mute.ended(today)), None)
        if holding is not None and not named:
            muted.append(Muted(finding, holding))
        elif holding is not None:
            heard.append(_noted(finding, f"muted ({holding.reason}), and shown since its rule was named"))
        elif covering:
            last = max(covering, key=lambda mute: mute.until or date.max)
            heard.append(_noted(finding, f"its mute ({last.reason}) ended on {last.until}"))
        else:
            heard.append(finding)
    return tuple(heard), tuple(muted)


def _noted(finding: Finding, words: str) -> Finding:
    return replace(finding, note="; ".join(part for part in (finding.note, words) if part))
