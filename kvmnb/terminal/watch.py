"""``kvmnb watch``: every series as JSON lines, one a tick."""

from __future__ import annotations

import argparse
import queue
import sys
import time
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError
from kvmnb.measure.replay import Replay
from kvmnb.measure.sampler import checked_period
from kvmnb.measure.series import Frame
from kvmnb.measure.sources import sampler_of
from kvmnb.terminal import documents
from kvmnb.terminal.options import add_source, here_of

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs

# How often to see whether a recording that is replayed has ended.
LOOK_SECONDS = 0.5


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "watch", help="series as JSON lines", description="Print what is measured, one JSON document a line and tick."
    )
    add_source(parser)
    parser.add_argument("--interval", metavar="S", type=float, help="seconds from one line to the next (default: 1)")
    parser.add_argument("--seconds", metavar="N", type=float, help="stop after so long (default: never)")
    parser.add_argument("--record", metavar="FILE", type=Path, help="also record all series into this new file")
    parser.add_argument(
        "--replace", action="store_true", help="with --record: write over the recording of series that stands there"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print lines till the time is over; 0."""
    if options.seconds is not None and not options.seconds > 0:
        raise KvmnbError(f"--seconds takes a time above 0, and not {options.seconds:g}")
    period = None if options.interval is None else checked_period(options.interval)
    if options.replace and options.record is None:
        raise KvmnbError("--replace is of --record FILE, which is not given")
    here = here_of(options)
    names = {one.uuid: one.name for one in here.domains}
    frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    sampler = sampler_of(here.machine)
    with ExitStack() as stack:
        stack.enter_context(sampler.subscribe(frames.put, name="kvmnb watch", period=period))
        if options.record is not None:
            recorder = stack.enter_context(here.record(options.record, period=period, replace=options.replace))
            print(f"kvmnb: {recorder!r}", file=sys.stderr)
        ends = inf if options.seconds is None else time.monotonic() + options.seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                frame = frames.get(timeout=min(left, LOOK_SECONDS))
            except queue.Empty:
                if isinstance(sampler.source, Replay) and sampler.source.over:
                    break
                continue
            print(codec.to_json(documents.watch_document(frame, names)), flush=True)
    return 0
