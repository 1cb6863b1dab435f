"""``kvmnb watch``: every series as JSON lines, one a tick."""

from __future__ import annotations

import argparse
import queue
import time
from typing import TYPE_CHECKING

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError
from kvmnb.measure.sampler import checked_period
from kvmnb.measure.series import Frame
from kvmnb.measure.sources import sampler_of
from kvmnb.terminal import documents
from kvmnb.terminal.options import add_source, here_of

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "watch", help="series as JSON lines", description="Print what is measured, one JSON document a line and tick."
    )
    add_source(parser)
    parser.add_argument("--interval", metavar="S", type=float, help="seconds from one line to the next (default: 1)")
    parser.add_argument("--seconds", metavar="N", type=float, help="stop after so long (default: never)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print lines till the time is over; 0."""
    if options.seconds is not None and not options.seconds > 0:
        raise KvmnbError(f"--seconds takes a time above 0, and not {options.seconds:g}")
    period = None if options.interval is None else checked_period(options.interval)
    here = here_of(options)
    names = {one.uuid: one.name for one in here.domains}
    frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    ends = None if options.seconds is None else time.monotonic() + options.seconds
    with sampler_of(here.machine).subscribe(frames.put, name="kvmnb watch", period=period):
        while ends is None or time.monotonic() < ends:
            try:
                frame = frames.get(timeout=None if ends is None else max(0.0, ends - time.monotonic()))
            except queue.Empty:
                break
            print(codec.to_json(documents.watch_document(frame, names)), flush=True)
    return 0
