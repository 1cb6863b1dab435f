"""What a report says of an earlier recording: scrubbed as the present was, so that both have the same stand-ins."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from kvmnb.advise.intent import Intent
from kvmnb.core import codec
from kvmnb.machine import sources
from kvmnb.share.capture import Capture, capture
from kvmnb.share.diff import Difference, FactChange, FindingChange, differences
from kvmnb.share.intended import under_stand_ins
from kvmnb.share.names import Again, KeptNames
from kvmnb.share.pseudonyms import Pseudonyms
from kvmnb.share.record import scrubbed
from kvmnb.share.report_sections import Judged, judged
from kvmnb.share.scrub import Scrub

T = TypeVar("T")

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?")
_STAND_IN = re.compile(r"(?<![0-9A-Za-z])x[0-9a-f]{10}(?![0-9A-Za-z])")


def since_then(
    path: Path, found: Capture, made: Pseudonyms, intent: Intent, scratch: Path
) -> tuple[tuple[str, Difference], Pseudonyms]:
    """When the earlier recording was made, what differs since, and the originals that it alone has."""
    kept = made.kept if isinstance(made, KeptNames) else frozenset()
    # Stand-ins are what both have in common; names come back into what differs.
    plain = Pseudonyms(made.salt) if kept else made
    new = _judged(found, plain, intent, scratch / "compared")
    again = Again(plain, made.spared())
    before = sources.recorded(path)
    try:
        cover = codec.from_json(before.tree.read("recording.json"), sources.Recording, str(path))
        old = _judged(capture(before), again, intent, scratch / "since")
    finally:
        before.close()
    differs = differences(old.survey, new.survey, old.audit, new.audit)
    names = {plain.name(name, "name"): name for name in kept}
    made_at = cover.made_at if _TIME.fullmatch(cover.made_at) else "an earlier recording"
    return (made_at, _named(differs, names) if names else differs), again


def _judged(found: Capture, made: Pseudonyms, intent: Intent, folder: Path) -> Judged:
    machine = scrubbed(found, made, folder)
    try:
        return judged(machine, under_stand_ins(intent, Scrub(made)))
    finally:
        machine.close()


def _named(differs: Difference, names: dict[str, str]) -> Difference:
    """The difference with the names that a reader may see in the place of their stand-ins."""

    def back(value: T) -> T:
        if not isinstance(value, str):
            return value
        return _STAND_IN.sub(lambda match: names.get(match[0], match[0]), value)  # type: ignore[return-value]

    return Difference(
        facts=tuple(
            FactChange(back(one.fact), back(one.before), back(one.after), one.seen_before, one.seen_after)
            for one in differs.facts
        ),
        guests_added=tuple(map(back, differs.guests_added)),
        guests_removed=tuple(map(back, differs.guests_removed)),
        guests_changed=tuple(map(back, differs.guests_changed)),
        findings=tuple(_finding(one, back(one.subject), back(one.title)) for one in differs.findings),
    )


def _finding(one: FindingChange, subject: str, title: str) -> FindingChange:
    return replace(one, subject=subject, title=title)
