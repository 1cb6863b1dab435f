"""``kvmnb mute`` and ``kvmnb unmute``: hear a rule's findings no more, or again."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.advise import mute_file
from kvmnb.advise.intent_file import default_path
from kvmnb.core.errors import KvmnbError
from kvmnb.terminal.options import add_config

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verbs to the parser."""
    mute = verbs.add_parser("mute", help="hear a rule's findings no more; kept in kvmnb.toml")
    mute.add_argument("id", metavar="ID")
    mute.add_argument("--reason", metavar="TEXT", required=True, help="why, for whoever reads it later")
    mute.add_argument("--until", metavar="DATE", help="the last day on which it holds, as 2027-01-31 (default: no end)")
    mute.set_defaults(run=run_mute)
    unmute = verbs.add_parser("unmute", help="hear a rule's findings again")
    unmute.add_argument("id", metavar="ID")
    unmute.set_defaults(run=run_unmute)
    for parser in (mute, unmute):
        parser.add_argument(
            "--subject", help="only this subject and what lies below it, as `kvmnb audit --json` prints it"
        )
        add_config(parser)


def run_mute(options: argparse.Namespace) -> int:
    """Write the mute; 0."""
    until = None
    if options.until is not None:
        try:
            until = date.fromisoformat(options.until)
        except ValueError:
            raise KvmnbError(f"--until takes a day such as 2027-01-31, and not {options.until[:40]!r}") from None
    path: Path = options.config or default_path()
    mute_file.mute(path, options.id, options.reason, options.subject, until)
    print(f"Muted {options.id}{_about(options.subject)}{f' until {until}' if until else ''} in {path}.")
    return 0


def run_unmute(options: argparse.Namespace) -> int:
    """Take the mute out; 0."""
    path: Path = options.config or default_path()
    mute_file.unmute(path, options.id, options.subject)
    print(f"{options.id}{_about(options.subject)} is heard again ({path}).")
    return 0


def _about(subject: str | None) -> str:
    return f" for {subject}" if subject is not None else ""
