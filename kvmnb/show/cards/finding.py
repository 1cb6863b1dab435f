"""The card of a finding: what was seen, why it matters, what would be set, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from kvmnb.advise import registry
from kvmnb.advise.finding import Finding
from kvmnb.advise.folklore import HEADINGS as MYTH_HEADINGS
from kvmnb.advise.folklore import PREFIX, myth
from kvmnb.core.errors import KvmnbError
from kvmnb.show import template
from kvmnb.tunable.spelling import percent_decode

_TOLD = ("Why it hurts", "What to do", "Leave it when", "Cost", "Look by hand", "Measure it", "Sources")


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as the templates take it."""

    finding: Finding

    def __getattr__(self, name: str) -> object:
        if name in {one.name for one in fields(Finding)}:
            return getattr(self.finding, name)
        raise AttributeError(name)

    @property
    def where(self) -> str:
        """Its subject in words, names as they are."""
        return subject(self.finding.subject)


def html(finding: Finding) -> str:
    """The card, with the rule's own words below it."""
    return several((finding,))


def several(findings: Sequence[Finding]) -> str:
    """The cards of some findings."""
    return template.page("findings", findings=[(Shown(finding), told(finding.id)) for finding in findings])


def text(finding: Finding) -> str:
    """The card as one line."""
    return f"{finding.severity.value} {finding.id} on {subject(finding.subject)}: {finding.title}"


def several_text(findings: Sequence[Finding]) -> str:
    """The cards as lines."""
    return "\n".join(text(finding) for finding in findings)


def told(rule_id: str) -> list[tuple[str, str]]:
    """The headings and texts of a rule, in the order of reading; empty for a rule that is not here."""
    try:
        one = myth(rule_id) if rule_id.startswith(PREFIX) else registry.rule(rule_id)
    except KvmnbError:
        return []
    sections = one.text[1]
    return [(heading, sections[heading]) for heading in (*_TOLD, *MYTH_HEADINGS[:4]) if sections.get(heading)]


def subject(text: str) -> str:
    """``domain/web%20server/cpu`` in words.

    >>> subject("host"), subject("domain/web%20server"), subject("domain/db/disk/vda")
    ('this host', 'guest web server', 'guest db, disk vda')
    """
    first, *rest = text.split("/")
    if first == "host":
        return ", ".join(["this host", *map(_decoded, rest)])
    name = percent_decode(rest[0]) if rest else ""
    below = " ".join(map(_decoded, rest[1:]))
    return f"guest {name}, {below}" if below else f"guest {name}"


def _decoded(part: str) -> str:
    """A part of a subject as it is called; one that is not encoded as kvmnb encodes stays."""
    try:
        return percent_decode(part)
    except KvmnbError:
        return part
