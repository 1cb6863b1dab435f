"""``kvmnb report``: the shareable document."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.core.units import format_bytes
from kvmnb.terminal.options import add_config, add_json, add_source, here_of
from kvmnb.terminal.words import paragraph, safe

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "report",
        help="the shareable document: one HTML file of host, guests, findings, plan and journal",
        description="Write one HTML file, without names, addresses and secrets, that needs no network to be read.",
    )
    parser.add_argument(
        "out", metavar="OUT.html", type=Path, help="a new file, or an older report; OUT.ipynb: as a notebook"
    )
    add_source(parser)
    parser.add_argument("--since", metavar="RECORDING", type=Path, help="also what differs from an earlier recording")
    parser.add_argument("--names", action="store_true", help="keep the names of guests, their files and NICs")
    parser.add_argument("--notebook", metavar="FILE.ipynb", type=Path, help="run this notebook in the page's place")
    parser.add_argument(
        "--seconds", metavar="N", type=float, default=10.0, help="how long a live host's series are read (default: 10)"
    )
    parser.add_argument("--goal", help="balanced (default), throughput, latency or density, with overlays")
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the report; 0."""
    from kvmnb.terminal import documents

    here = here_of(options)
    try:
        written = here.report(
            options.out,
            names=options.names,
            since=options.since,
            seconds=options.seconds,
            notebook=options.notebook,
        )
    finally:
        here.machine.close()
    if options.json:
        path = str(written.path)
        documents.print_document(
            documents.ReportDocument("kvmnb.report/1", path, written.bytes, written.sections, written.names)
        )
        return 0
    print(f"Wrote {safe(str(written.path))} ({format_bytes(written.bytes)}).")
    said = "The names of guests, files and NICs are in it; addresses" if written.names else "Names, addresses"
    print(paragraph(f"{said}, identifiers and secrets are replaced or left out. Read it before you send it."))
    return 0
