"""``kvmnb top``: a live table of guests."""

from __future__ import annotations

import argparse
import queue
import sys
import time
from typing import TYPE_CHECKING

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.sampler import checked_period
from kvmnb.measure.series import Frame
from kvmnb.measure.sources import sampler_of
from kvmnb.measure.usage import COLUMNS, NAME, WORDS, Usages, sort_rows
from kvmnb.terminal import documents, screen
from kvmnb.terminal.options import add_json, add_source, here_of

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs

# What libvirt is asked for beside the tick comes within this time, where there are few guests.
ONCE_SECONDS = 3.0


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    keys = ", ".join(f"{one.letter} {one.word}" for one in COLUMNS)
    parser = verbs.add_parser(
        "top",
        help="a live table of guests",
        description="Running guests by CPU, run delay, disk, network and memory, once a second. In a terminal a key "
        f"sorts: {keys}, n name; q ends.",
    )
    add_source(parser)
    parser.add_argument("--sort", metavar="WORD", default="cpu", help=f"{', '.join(WORDS)} (default: %(default)s)")
    parser.add_argument("--interval", metavar="S", type=float, help="seconds from one table to the next (default: 1)")
    parser.add_argument("--seconds", metavar="N", type=float, help="stop after so long (default: never)")
    parser.add_argument("--once", action="store_true", help="print one table of the next seconds, and end")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print tables till the time is over; 0."""
    if options.seconds is not None and not options.seconds > 0:
        raise KvmnbError(f"--seconds takes a time above 0, and not {options.seconds:g}")
    sort_rows((), options.sort)
    period = None if options.interval is None else checked_period(options.interval)
    here = here_of(options)
    usages = Usages({one.uuid: one.name for one in here.domains})
    sampler = sampler_of(here.machine)
    frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    once = options.once or options.json
    seconds = options.seconds if options.seconds is not None else ONCE_SECONDS if once else float("inf")
    ends = time.monotonic() + seconds
    note = f"{here.machine.title} ({sampler.source.title_note})"
    live = not once and sys.stdout.isatty() and sys.stdin.isatty()
    sort = options.sort
    with screen.keys(live) as pressed, sampler.subscribe(frames.put, name="kvmnb top", period=period):
        while (left := ends - time.monotonic()) > 0:
            key = pressed(0.0)
            sort, again = _sorted_by(key, sort)
            if key == "q":
                break
            try:
                usages.take(frames.get(timeout=min(left, 0.1)))
            except queue.Empty:
                if not again:
                    continue
            if not once:
                screen.show(usages, sort, note, live=live)
    if options.json:
        documents.print_document(documents.top_document(usages, sort))
    elif once:
        screen.show(usages, sort, note, live=False)
    return 0


def _sorted_by(key: str, sort: str) -> tuple[str, bool]:
    """By what the table is sorted after this key, and whether that changed."""
    letters = {one.letter: one.word for one in COLUMNS} | {"n": NAME}
    word = letters.get(key, sort)
    return word, word != sort
