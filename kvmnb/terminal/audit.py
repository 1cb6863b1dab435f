"""``kvmnb audit``: what the rules find, worst first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kvmnb.terminal import documents
from kvmnb.terminal.audit_report import everything, report
from kvmnb.terminal.options import add_guests, add_json, add_source, here_of

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "audit", help="findings, worst first", description="Ask every rule; exit 1 where one finds something."
    )
    add_source(parser)
    add_guests(parser)
    parser.add_argument("--all", action="store_true", help="every finding, judgement and reason, one by one")
    parser.add_argument("--window", metavar="SECONDS", type=float, help="measure rates over a window first")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 where there are any, else 0."""
    audit = here_of(options).audit(*options.domain, window=options.window)
    if options.json:
        documents.print_document(documents.audit_document(audit))
    else:
        print(everything(audit) if options.all else report(audit))
    return 1 if audit.findings else 0
