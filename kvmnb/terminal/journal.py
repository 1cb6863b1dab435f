"""``kvmnb journal``: what was done."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kvmnb.apply.journal import Journal
from kvmnb.apply.shelf import Shelf, find
from kvmnb.core.errors import KvmnbError
from kvmnb.terminal import documents
from kvmnb.terminal.documents import masked
from kvmnb.terminal.options import add_json
from kvmnb.terminal.words import safe
from kvmnb.tunable.tunable import Undo

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("journal", help="what was done: list, show ID, verify [ID]")
    deeds = parser.add_subparsers(metavar="list|show|verify", required=True)
    listing = deeds.add_parser("list", help="all journals, the newest first")
    add_json(listing)
    listing.set_defaults(run=run_list)
    show = deeds.add_parser("show", help="one journal, record by record")
    show.add_argument("id", metavar="ID")
    add_json(show)
    show.set_defaults(run=run_show)
    verify = deeds.add_parser("verify", help="whether journals are as they were written")
    verify.add_argument("id", metavar="ID", nargs="?")
    verify.set_defaults(run=run_verify)


def run_list(options: argparse.Namespace) -> int:
    """Print all journals; 2 where one cannot be read, after the others."""
    read, broken = _all()
    parts = tuple(documents.journal_part(one) for one in read)
    if options.json:
        documents.print_document(documents.JournalDocument("kvmnb.journal/1", parts))
        return 0
    for part in parts:
        standing = f"{len(part.standing)} of {len(part.changes)} changes stand"
        print(f"{part.id}  {part.state:<11}  {standing}  {safe(part.origin)}")
    if not parts and not broken:
        print("No plan was applied yet.")
    for problem in broken:
        print(safe(f"kvmnb: {problem}"), file=sys.stderr)
    return 2 if broken else 0


def run_show(options: argparse.Namespace) -> int:
    """Print one journal, secrets masked; 0."""
    journal = find(options.id)
    if options.json:
        documents.print_document(documents.JournalDocument("kvmnb.journal/1", (documents.journal_part(journal),)))
        return 0
    opening = journal.opening
    print(f"Plan {journal.id} on {safe(opening.origin)} (host {opening.host_uuid}), {journal.state}")
    for record in journal.records[1:]:
        step = "" if record.step is None else f" step {record.step + 1}/{len(opening.steps)}"
        print(safe(f"{record.at}  {record.deed}{step}{': ' + record.word if record.word else ''}"))
        for value in record.values:
            print(safe(f"    {value.tunable}: {masked(value.before)!r} -> {masked(value.after)!r}"))
    ways = {
        value.tunable: way.value
        for step in opening.steps
        for value, way in zip(step.values, step.undo, strict=True)
        if way is not Undo.EXACT
    }
    for name, way in ways.items():
        print(safe(f"Undo of {name}: {way}."))
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Print whether journals are whole; 1 where one is not."""
    chosen, problems = _all(options.id)
    problems += [problem for one in chosen if (problem := one.problem()) is not None]
    for problem in problems:
        print(safe(problem))
    if not problems:
        print(f"{len(chosen)} journals are as they were written.")
    return 1 if problems else 0


def _all(journal_id: str | None = None) -> tuple[list[Journal], list[str]]:
    """The journals, or the one of this id, and what is wrong with those that cannot be read."""
    shelf = Shelf.own()
    read: list[Journal] = []
    broken: list[str] = []
    for path in [shelf.path(journal_id)] if journal_id else shelf.paths():
        try:
            read.append(Journal.load(path))
        except KvmnbError as problem:
            broken.append(str(problem))
    return read, broken
