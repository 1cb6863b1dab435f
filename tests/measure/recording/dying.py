"""Records in processes that kill themselves, each at one of its calls for a file of the recording.

``python -m tests.measure.recording.dying FOLDER FRAMES CALL...`` makes ``FOLDER/CALL.parquet`` for each number of a
call, and ``FOLDER/CALL.flushed`` with how many frames its recorder had said to be on disk.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from kvmnb.measure.recording.writing import Writing
from tests.measure.recording.test_recording import COVER, frame_of

CALLS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}


def main() -> None:
    """Run the command line."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    for call in map(int, sys.argv[3:]):
        child = os.fork()
        if not child:
            _record(folder / f"{call}.parquet", count, call)
            os._exit(0)
        os.waitpid(child, 0)


def _record(target: Path, count: int, last: int) -> None:
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in CALLS and str(arguments[0]).startswith(str(target)):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)

    flushed = os.open(target.with_suffix(".flushed"), os.O_CREAT | os.O_WRONLY)
    sys.addaudithook(watch)
    writing = Writing(target, COVER, instead=False)
    for number in range(count):
        writing.add(frame_of(number))
        if writing.rows_until == frame_of(number).at:
            os.pwrite(flushed, b"%d" % (number + 1), 0)
    writing.close("stopped")
    # How many calls there are in all.
    os.pwrite(flushed, b"%d" % -seen, 0)


if __name__ == "__main__":
    main()
