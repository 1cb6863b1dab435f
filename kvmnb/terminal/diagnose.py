"""``kvmnb diagnose``: what is slow, on what, who causes it."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.facts.gap import Gap
from kvmnb.measure.diagnose.diagnosis import Diagnosis, Symptom
from kvmnb.measure.neighbours import Matrix, worst
from kvmnb.terminal import documents
from kvmnb.terminal.options import add_json, add_source, here_of, source_given
from kvmnb.terminal.words import headed, name_of, paragraph, subject_of

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs

# Guests that wait, of which is told.
MOST = 5


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "diagnose",
        help="what is slow, on what, who causes it",
        description="Look at all series for a while and ask every pattern; exit 1 where one is found.",
    )
    add_source(parser)
    parser.add_argument(
        "--seconds", metavar="N", type=float, help="how long to look (default: 10; of a recording its last hour)"
    )
    parser.add_argument("--replay", metavar="FILE", type=Path, help="look at this recording of series, not at a host")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the diagnosis; 1 where a pattern was found, else 0."""
    found = _found(options)
    if options.json:
        documents.print_document(documents.diagnose_document(found))
    else:
        print("\n".join(_lines(found)))
    return 1 if found.symptoms else 0


def _found(options: argparse.Namespace) -> Diagnosis:
    if options.replay is None:
        found = here_of(options).diagnose(options.seconds)
        if not isinstance(found, Diagnosis):
            raise NotAnswered(found.sentence)
        return found
    if source_given(options):
        raise KvmnbError("--replay names a recording, which is of its own host; leave out the other source")
    from kvmnb.measure.recording.session import diagnose_recording

    return diagnose_recording(options.replay, options.seconds)


def _lines(found: Diagnosis) -> Iterator[str]:
    yield f"Over {found.seconds:.0f} s: {len(found.symptoms)} found, {len(found.checked)} judgements without a finding."
    for one in found.symptoms:
        yield from ("", *_symptom(one))
    yield from _neighbours(found)
    if found.not_checked:
        yield "\nNot checked:"
        for (name, reason), times in Counter((one.id, one.reason) for one in found.not_checked).items():
            subjects = f" ({times} subjects)" if times > 1 else ""
            yield paragraph(f"{name}{subjects}: {reason}", "  ", "    ")


def _neighbours(found: Diagnosis) -> Iterator[str]:
    """Who takes whose CPU: the guests that wait most, and for whom."""
    if isinstance(found.neighbours, Gap):
        yield "\nWho takes whose CPU:"
        yield paragraph(f"not known: {found.neighbours.reason}", "  ", "    ")
    if not isinstance(found.neighbours, Matrix) or not found.neighbours.caused:
        return
    names = {**dict(found.guests), **found.neighbours.guests}
    yield "\nWho takes whose CPU (seconds of run delay per second):"
    waited = found.neighbours.waited
    for victim in found.neighbours.victims[:MOST]:
        told = ", ".join(f"{name} {rate:.2f}" for name, rate in worst(found.neighbours.of(victim), names, victim))
        line = f"{names.get(victim, victim)} waits {waited[victim]:.2f}: {told}"
        yield paragraph(name_of(line), "  ", "    ")
    left = len(waited) - MOST
    more_victims = f"{left} more guests wait less. " if left > 0 else ""
    share = f"{more_victims}{found.neighbours.unknown_share:.0%} of all waits could be given to nobody."
    yield paragraph(" ".join((share, *(f"Not seen: {gap}." for gap in found.neighbours.gaps))), "  ")


def _symptom(one: Symptom) -> Iterator[str]:
    yield headed(one.severity, f"{subject_of(one.subject)}: {one.title}  [{one.id}]")
    yield paragraph(one.saw, " " * 9)
    if one.culprits:
        yield paragraph(f"who: {', '.join(one.culprits)}", " " * 9)
    yield paragraph(f"answered by {', '.join(one.answers)}", " " * 9)
    yield paragraph(f"refuted by: {one.refuted_by}", " " * 9)
