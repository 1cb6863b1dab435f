"""``kvmnb confirm``: keep a plan that is taken back otherwise."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kvmnb.apply import guard, trial
from kvmnb.apply.journal import Journal
from kvmnb.apply.shelf import find
from kvmnb.terminal.options import add_source, here_of, source_given
from kvmnb.terminal.words import safe
from kvmnb.verbs import reopen

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    confirm = verbs.add_parser("confirm", help="keep a plan that is taken back otherwise (apply --confirm-within)")
    confirm.add_argument("id", metavar="ID")
    add_source(confirm)
    confirm.set_defaults(run=run_confirm)


def run_confirm(options: argparse.Namespace) -> int:
    """Confirm a plan; 0 where all of it holds then, 1 where it is too late."""
    journal = find(options.id)
    here = here_of(options) if source_given(options) else reopen(journal.opening.machine, journal.opening.origin)
    here.confirm(
        journal, progress=lambda step, steps, word: print(f"  step {step}/{steps}: {safe(word)}", file=sys.stderr)
    )
    print(f"Plan {journal.id} is confirmed: {journal.state}. Take it back with `kvmnb undo {journal.id}`.")
    return 0


def wait_for_word(journal: Journal) -> int:
    """Wait until somebody confirms a plan or its guard takes it back; 0 confirmed, 1 reverted."""
    watching = guard.watching(journal.path)
    if watching is not None:
        left = watching.deadline - guard.now()
        print(f"Confirm within {left:.0f} s, from any terminal: kvmnb confirm {journal.id}", flush=True)
        print(f"Otherwise it is taken back by {guard.SURVIVES[watching.way]}.", flush=True)
    try:
        word = trial.outcome(journal)
    except KeyboardInterrupt:
        print(f"Plan {journal.id} is not confirmed; its guard takes it back in time.")
        return 1
    if word == "applied":
        print(f"Plan {journal.id} was confirmed. Take it back with `kvmnb undo {journal.id}`.")
        return 0
    print(f"Plan {journal.id} was not confirmed: {word}.")
    return 1
