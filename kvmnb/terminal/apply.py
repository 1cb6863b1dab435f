"""``kvmnb apply`` and ``kvmnb verify``: do it, and see whether it holds."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.apply.journal import Journal
from kvmnb.apply.shelf import find
from kvmnb.core.errors import KvmnbError
from kvmnb.plan.plan import Plan, from_text
from kvmnb.terminal import documents
from kvmnb.terminal.confirm import wait_for_word
from kvmnb.terminal.options import add_json, add_source, here_of, source_given
from kvmnb.terminal.words import safe
from kvmnb.tunable.tunable import State
from kvmnb.verbs import reopen

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verbs to the parser."""
    apply = verbs.add_parser("apply", help="carry out a saved plan; restarts nothing")
    apply.add_argument("plan", metavar="PLAN.json", type=Path)
    apply.add_argument(
        "--accept-disruptive", action="store_true", help="also changes that cost a restart, migration, ..."
    )
    apply.add_argument(
        "--confirm-within",
        metavar="S",
        type=int,
        help="take it back after S seconds unless confirmed (0: never; default: 60 where it could cut off your link)",
    )
    apply.add_argument(
        "--override-owner", action="store_true", help="also guests whose XML another program writes (OpenStack, ...)"
    )
    add_source(apply)
    apply.set_defaults(run=run_apply)

    verify = verbs.add_parser("verify", help="whether each change of a plan or journal is in force")
    verify.add_argument("what", metavar="PLAN.json|ID")
    add_source(verify)
    add_json(verify)
    verify.set_defaults(run=run_verify)


def run_apply(options: argparse.Namespace) -> int:
    """Carry out a plan; 0 where all of it holds, 1 where it was to be confirmed and was not."""
    plan = _plan(options.plan)
    here = here_of(options) if source_given(options) else reopen(plan.machine, plan.uri)
    journal = here.apply(
        plan,
        accept_disruptive=options.accept_disruptive,
        confirm_within=options.confirm_within,
        override_owner=options.override_owner,
        began=lambda journal_id: print(f"Journal {journal_id}", flush=True),
        progress=lambda step, steps, word: print(f"  step {step}/{steps}: {safe(word)}", file=sys.stderr),
    )
    if journal.opening.confirm_within is not None:
        return wait_for_word(journal)
    print(f"All {len(plan.changes)} changes were written and read back. Take them back with `kvmnb undo {journal.id}`.")
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Print whether each change holds; 1 where one differs."""
    subject: Plan | Journal
    if re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{4}", options.what):
        subject = find(options.what)
        kind, origin = subject.opening.machine, subject.opening.origin
    else:
        subject = _plan(Path(options.what))
        kind, origin = subject.machine, subject.uri
    here = here_of(options) if source_given(options) else reopen(kind, origin)
    verified = here.verify(subject)
    if options.json:
        documents.print_document(documents.verify_document(verified))
    else:
        for change, verdict in verified:
            found = "" if verdict.state is State.HOLDS else f" (found {documents.masked(verdict.found)!r})"
            expected = documents.masked(verdict.expected)
            print(safe(f"{verdict.state.value:<14} {change.tunable} = {expected!r}{found}; {verdict.reason}"))
    return 1 if any(verdict.state is State.DIFFERS for _, verdict in verified) else 0


def _plan(path: Path) -> Plan:
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise KvmnbError(f"reading the plan {path}: {problem.strerror}") from problem
    return from_text(raw, str(path))
