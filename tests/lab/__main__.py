"""Bring a lab up by hand: ``python -m tests.lab up --guests 2``."""

from __future__ import annotations

import argparse
import os
import select
import signal
import stat
import sys
import time

from tests.lab.boot import LabError
from tests.lab.daemon import Lab
from tests.lab.guest import Guest


def main() -> int:
    """Run the command line; 2 where the lab cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab",
        description="A libvirtd with small guests, apart from any other of this machine.",
    )
    up = parser.add_subparsers(required=True).add_parser(
        "up",
        help="bring a lab up, print its URI, stay till Ctrl-C, SIGTERM or the end of the input, take it down",
    )
    up.add_argument("--guests", type=int, default=1, metavar="N", help="guests to start (default 1)")
    up.add_argument("--vcpus", type=int, default=1, metavar="V", help="vCPUs of each guest (default 1)")
    up.add_argument("--busy", action="store_true", help="keep every vCPU busy with an endless loop")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        with Lab() as lab:
            _stay(lab, options.guests, options.vcpus, options.vcpus if options.busy else 0)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _stay(lab: Lab, guests: int, vcpus: int, busy: int) -> None:
    began = time.monotonic()
    started = [Guest.start(lab, f"guest{number}", vcpus=vcpus, busy=busy) for number in range(1, guests + 1)]
    for guest in started:
        guest.wait_ready(60 + 30 * guests)
    # The line comes last in time and first in the output: who reads it finds every guest ready.
    print(f"KVMNB_HOST={lab.uri}", flush=True)
    print(f"{guests} guests of {vcpus} vCPUs ready after {time.monotonic() - began:.1f} s", file=sys.stderr)
    _wait_for_end()


def _wait_for_end() -> None:
    """Wait for the input's end, or only for a signal where it is /dev/null, as in a shell's background."""
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0)):
        while True:
            signal.pause()
    while select.select([0], [], [])[0] and os.read(0, 4096):
        pass


if __name__ == "__main__":
    sys.exit(main())
