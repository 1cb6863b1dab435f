"""``kvmnb record``: a scrubbed recording of a machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.core.units import format_bytes
from kvmnb.terminal.options import add_json, add_source, here_of
from kvmnb.terminal.words import paragraph, safe

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "record",
        help="a scrubbed recording of this machine",
        description="Record what probing reads, as plain files without names, addresses and secrets.",
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="a new folder, or a new file that ends in .tar.zst")
    add_source(parser)
    parser.add_argument("--window", metavar="SECONDS", type=float, help="also rates over a window of this length")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Record the machine; 0."""
    from kvmnb.share.record import record
    from kvmnb.terminal import documents

    here = here_of(options)
    try:
        written = record(here.machine, options.out, window=options.window)
    finally:
        here.machine.close()
    if options.json:
        path, dropped = str(written.path), tuple(written.dropped)
        documents.print_document(
            documents.RecordDocument("kvmnb.record/1", path, written.files, written.bytes, dropped)
        )
        return 0
    print(f"Recorded {written.files} files ({format_bytes(written.bytes)}) to {safe(str(written.path))}.")
    print(
        paragraph(
            "Names, addresses, identifiers and secrets are replaced or left out. "
            "The files are plain text: read them before you send them."
        )
    )
    if written.dropped:
        print(f"Not held: {len(written.dropped)} files, listed in dropped.json.")
    return 0
