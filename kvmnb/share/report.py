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
from typing import Any

from kvmnb import __version__
from kvmnb.advise.intent import Intent
from kvmnb.apply.journal import Journal
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine.machine import Machine, state_folder
from kvmnb.share.capture import Capture, capture
from kvmnb.share.deeds import Deeds, deeds
from kvmnb.share.intended import under_stand_ins
from kvmnb.share.leaks import Search
from kvmnb.share.names import KeptNames, names_of
from kvmnb.share.notebooks import REPORT, executed, own_prose, shipped_notebooks
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
NOTEBOOK = ".ipynb"


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
    notebook: Path | None = None
    """A notebook that is run on the scrubbed host, in the place of the page."""


def report(machine: Machine, intent: Intent, journals: Sequence[Journal], out: Path, wishes: Wishes) -> Reported:
    """Write the report of a machine.

    Raises Refused, with nothing written, where an original would be in it, and where ``out`` is there and no report.
    """
    _refuse_other(out)
    with tempfile.TemporaryDirectory(prefix="kvmnb-report-") as folder:
        scratch = Path(folder)
        salt = lasting_salt(state_folder())
        found = capture(machine)
        made = KeptNames(salt, names_of(found)) if wishes.names else Pseudonyms(salt)
        now = scrubbed(found, made, scratch / "now")
        try:
            if wishes.notebook is not None or out.suffix == NOTEBOOK:
                text, titles = _notebook(
                    scratch, under_stand_ins(intent, Scrub(made)), deeds(journals, Scrub(made)), out, wishes
                )
                searched, own = [made], own_prose(wishes.notebook or shipped_notebooks() / REPORT)
            else:
                cover, parts, searched = _drawn(machine, now, found, made, intent, journals, scratch, wishes)
                text, titles, own = document(cover, parts), tuple(one.title for one in parts), ""
        finally:
            now.close()
        refuse_originals(text, searched, f"the report {out}", own)
    _put(text, out)
    return Reported(path=out, bytes=len(text.encode()), sections=titles, names=wishes.names)


def _notebook(
    scratch: Path, intent: Intent, done: tuple[Deeds, ...], out: Path, wishes: Wishes
) -> tuple[str, tuple[str, ...]]:
    """The text of a notebook that ran on the scrubbed host, as a notebook or as a page, and its headings."""
    import nbformat

    from kvmnb.show.exporter import document_of

    path = wishes.notebook or shipped_notebooks() / REPORT
    ran = executed(path, scratch / "now", intent, done, scratch)
    prose = (cell.source for cell in ran.cells if cell.cell_type == "markdown")
    titles = tuple(line[3:] for text in prose for line in text.splitlines() if line.startswith("## "))
    writer: Any = nbformat
    return writer.writes(ran) if out.suffix == NOTEBOOK else document_of(ran), titles


def refuse_originals(text: str, made: Sequence[Pseudonyms], what: str, prose: str = "") -> None:
    """Raise Refused where an original stands in a text, encoded or not; plotly's own code is not searched.

    ``prose`` is what the text quotes beside kvmnb's own words.
    """
    sought = text.replace(drawing.packed_plotly(), "").replace(drawing.loader(), "")
    for one in made:
        field = Search(one, f"{own_text()}\n{prose}").field_of_leak(sought)
        if field is not None:
            raise Refused(
                f"{what} would hold an original value of {field}, so nothing was written; "
                "please report which kind of field it is"
            )


def _drawn(
    machine: Machine,
    now: Machine,
    found: Capture,
    made: Pseudonyms,
    intent: Intent,
    journals: Sequence[Journal],
    scratch: Path,
    wishes: Wishes,
) -> tuple[Cover, list[Section], list[Pseudonyms]]:
    """The page's parts, and whose originals may not be in them."""
    scrub = Scrub(made)
    meant = under_stand_ins(intent, scrub)
    searched = [made]
    judgement = judged(now, meant)
    since = None
    if wishes.since is not None:
        since, earlier = since_then(wishes.since, found, made, intent, scratch)
        searched.append(earlier)
    names = {one.uuid: made.name(one.name, "domain/name") for one in found.survey.domains if one.running}
    series = series_of(machine, names, wishes.seconds)
    parts = list(sections(now, meant, judgement, deeds(journals, scrub), series, since))
    return _cover(now.title.replace("Recorded host", "A KVM host"), wishes, meant), parts, searched


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
