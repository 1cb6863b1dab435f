"""Put files of /sys and /proc back to what they were, whatever becomes of the process that changed them.

A second process holds the values and writes them back when the first is done with them or has died, by
SIGKILL too. Run as a script this file is that second process; it needs the standard library only.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def restoring(*paths: str | Path) -> Iterator[None]:
    """Remember the files' values, and write them back, last file first, when the block is left.

    Of a file that lists its choices, such as "none [mq-deadline]", the chosen one is written. Raises
    RuntimeError where a file does not take its old value; an error of the block itself is then its context.
    """
    before = {str(path): Path(path).read_text() for path in paths}
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C in a terminal goes to the whole group: the guard must not share it.
        start_new_session=True,
    )
    assert guard.stdin
    assert guard.stdout
    guard.stdin.write(json.dumps(before) + "\n")
    guard.stdin.flush()
    if guard.stdout.readline() != "ready\n":
        raise RuntimeError("The process that would restore the files did not start, so nothing was changed.")
    try:
        yield
    finally:
        failed = guard.communicate()[0]
        if failed:
            raise RuntimeError(f"Not restored: {failed.strip()}")


def _guard() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    before: dict[str, str] = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.read()
    for path, text in reversed(before.items()):
        chosen = re.search(r"\[([^\]\s]+)\]", text)
        try:
            if Path(path).read_text() != text:
                Path(path).write_text(chosen.group(1) if chosen else text)
            found = Path(path).read_text()
        except OSError as error:
            found = str(error)
        if found != text:
            print(f"{path}: was {text.strip()!r}, is {found.strip()!r};")


if __name__ == "__main__":
    _guard()
