"""A report: one HTML file of a machine that may be given away.

The machine is recorded first, scrubbed by the recorder's allow-list, and the report is drawn from that recording
alone; what stands nowhere in a recording (journals, series, the intent) is scrubbed beside it. The finished page is
searched for every original, and is not written where one is left.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kvmnb import __version__
from kvmnb.advise.intent import Intent
from kvmnb.apply.journal import Journal
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine.machine import Machine, state_folder
from kvmnb.share.capture import capture
from kvmnb.share.deeds import deeds
from kvmnb.share.intended import under_stand_ins
from kvmnb.share.leaks import Search
from kvmnb.share.names import KeptNames, names_of
from kvmnb.share.own_text import own_text
from kvmnb.share.pseudonyms import Pseudonyms, lasting_salt
from kvmnb.share.record import scrubbed
from kvmnb.share.report_sections import judged, sections
from kvmnb.share.report_series import series_of
from kvmnb.share.report_since import since_then
from kvmnb.share.scrub import Scrub
from kvmnb.show import drawing
from kvmnb.show.document import MARK, Cover, Section, document, written_by_kvmnb

DEFAULT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report that was written."""

    path: Path
    bytes: int
    sections: tuple[str, ...]
    """The titles of its sections."""
    names: bool
    """Whether the names of guests, files and NICs are in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a report is to hold."""

    names: bool = False
    since: Path | None = None
    """An earlier recording to compare with."""
    seconds: float = DEFAULT_SECONDS
    """How long a live machine's series are read."""


def report(machine: Machine, intent: Intent, journals: Sequence[Journal], out: Path, wishes: Wishes) -> Reported:
    """Write the report of a machine.

    Raises Refused, with nothing written, where an original would be in it, and where ``out`` is there and no report.
    """
    _refuse_other(out)
    with tempfile.TemporaryDirectory(prefix="kvmnb-report-") as scratch:
        cover, parts, made = _drawn(machine, intent, journals, Path(scratch), wishes)
        text = document(cover, parts)
        refuse_originals(text, made, f"the report {out}")
    _put(text, out)
    return Reported(path=out, bytes=len(text.encode()), sections=tuple(one.title for one in parts), names=wishes.names)


def refuse_originals(text: str, made: Sequence[Pseudonyms], what: str) -> None:
    """Raise Refused where an original stands in a text, encoded or not; plotly's own code is not searched."""
    sought = text.replace(drawing.packed_plotly(), "").replace(drawing.loader(), "")
    for one in made:
        field = Search(one, own_text()).field_of_leak(sought)
        if field is not None:
            raise Refused(
                f"{what} would hold an original value of {field}, so nothing was written; "
                "please report which kind of field it is"
            )


def _drawn(
    machine: Machine, intent: Intent, journals: Sequence[Journal], scratch: Path, wishes: Wishes
) -> tuple[Cover, list[Section], list[Pseudonyms]]:
    salt = lasting_salt(state_folder())
    found = capture(machine)
    made = KeptNames(salt, names_of(found)) if wishes.names else Pseudonyms(salt)
    now = scrubbed(found, made, scratch / "now")
    scrub = Scrub(made)
    meant = under_stand_ins(intent, scrub)
    searched = [made]
    try:
        judgement = judged(now, meant)
        since = None
        if wishes.since is not None:
            since, earlier = since_then(wishes.since, found, made, intent, scratch)
            searched.append(earlier)
        names = {one.uuid: made.name(one.name, "domain/name") for one in found.survey.domains if one.running}
        series = series_of(machine, names, wishes.seconds)
        parts = list(sections(now, meant, judgement, deeds(journals, scrub), series, since))
        return _cover(now.title.replace("Recorded host", "A KVM host"), wishes, meant), parts, searched
    finally:
        now.close()


def _cover(title: str, wishes: Wishes, intent: Intent) -> Cover:
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    kept = (
        "Names of guests, of their disks' files and of NICs are as they are; addresses, identifiers and secrets are "
        "replaced or left out."
        if wishes.names
        else "Names, addresses, identifiers and secrets are replaced or left out: a name such as x5d71ba5367 stands "
        "for the same thing everywhere on this page."
    )
    return Cover(title, (f"Made on {at} by kvmnb {__version__}; judged for the goal {intent.aim}.", kept))


def _refuse_other(out: Path) -> None:
    """A report may be written over by a newer one; anything else that is there stays."""
    if not os.path.lexists(out):
        return
    try:
        with out.open(encoding="utf-8", errors="replace") as stream:
            if written_by_kvmnb(stream.read(len(MARK))):
                return
    except OSError as problem:
        raise KvmnbError(f"the report {out} cannot be written: {problem.strerror}") from problem
    raise Refused(f"the report {out} is not written: a file that is no report of kvmnb is there; name another one")


def _put(text: str, out: Path) -> None:
    """Put the text in its place whole."""
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, out)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        raise KvmnbError(f"the report {out} cannot be written: {problem.strerror}") from problem
