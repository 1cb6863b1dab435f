"""``kvmnb undo`` and ``kvmnb resume``: take a plan back, or bring one that was left half-way to its end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from kvmnb.apply import rooted
from kvmnb.apply.journal import Journal
from kvmnb.apply.shelf import HALF_WAY, Shelf, find, journals
from kvmnb.core.errors import KvmnbError
from kvmnb.plan.plan import is_id
from kvmnb.terminal.options import add_source, here_of, source_given
from kvmnb.terminal.words import safe
from kvmnb.verbs import Here, reopen

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verbs to the parser."""
    undo = verbs.add_parser("undo", help="take back what a plan changed")
    undo.add_argument("id", metavar="ID", nargs="?", default="last", help="a journal's id (default: last)")
    undo.add_argument("--only", metavar="TUNABLE", action="append", default=[], help="only this (may be repeated)")
    undo.add_argument("--take-drifted", action="store_true", help="also values that something else changed since")
    add_source(undo)
    undo.set_defaults(run=run_undo)

    resume = verbs.add_parser("resume", help="bring a plan that was left half-way to its end")
    resume.add_argument("id", metavar="ID", nargs="?", default="last", help="a journal's id (default: the newest such)")
    add_source(resume)
    resume.set_defaults(run=run_resume)


def run_undo(options: argparse.Namespace) -> int:
    """Take back a journal; 0 where all that stood was taken back."""
    if not source_given(options) and not options.only and _is_rooted_alone(options.id):
        return _undo_rooted(options)
    here, journal = _chosen(options, lambda one: bool(one.standing()) or one.state in HALF_WAY, "to take back")
    taken = here.undo(journal, only=options.only, take_drifted=options.take_drifted, progress=_progress)
    count = sum(len(one.values) for one in taken)
    for names, why in journal.kept():
        print(safe(f"{', '.join(names)}: {why}."))
    print(
        f"{count} changes of plan {journal.id} were taken back."
        if count
        else f"Plan {journal.id} has nothing left to take back."
    )
    return 0


def run_resume(options: argparse.Namespace) -> int:
    """Bring a half-done plan to its end; 0 where all of it holds, or none of it."""
    here, journal = _chosen(options, lambda one: one.state in HALF_WAY, "to resume")
    here.resume(journal, progress=_progress)
    print(f"Plan {journal.id} is settled: {journal.state}.")
    return 0


def _is_rooted_alone(journal_id: str) -> bool:
    """Whether only kvmnb-root may know of a plan: this user's own journal of it is lost."""
    return is_id(journal_id) and not (Shelf.own().folder / f"{journal_id}.jsonl").exists() and rooted.installed()


def _undo_rooted(options: argparse.Namespace) -> int:
    taken = rooted.undo_alone(options.id, take_drifted=options.take_drifted)
    if taken is None:
        raise KvmnbError(
            f"there is no journal {options.id}, and kvmnb-root knows none; `kvmnb journal list` shows them"
        )
    print(f"{len(taken)} host settings of plan {options.id} were taken back; there is no journal of its guests here.")
    return 0


def _progress(step: int, steps: int, word: str) -> None:
    print(f"  step {step + 1}/{steps}: {safe(word)}", file=sys.stderr)


def _chosen(options: argparse.Namespace, fits: Callable[[Journal], bool], purpose: str) -> tuple[Here, Journal]:
    here = here_of(options) if source_given(options) else None
    if options.id != "last":
        journal = find(options.id)
    else:
        newest = (one for one in (here.journals() if here is not None else journals()) if fits(one))
        found = next(newest, None)
        if found is None:
            where = f" on {here.machine.title}" if here is not None else ""
            raise KvmnbError(f"there is nothing {purpose}{where}; `kvmnb journal list` shows what was done")
        journal = found
    return here or reopen(journal.opening.machine, journal.opening.origin), journal
