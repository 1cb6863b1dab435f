"""What a recording takes: bytes on disk and memory, of a day of a host that is made up (``tools.bench.day``).

``python -m tools.bench.recording --guests 100 --seconds 86400 --write`` writes the table to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from kvmnb.measure.recording.cover import Cover
from kvmnb.measure.recording.kinds import folder_of
from kvmnb.measure.recording.writing import Writing
from kvmnb.measure.ring import Ring
from kvmnb.measure.sampler import CAPACITY
from tools.bench import day
from tools.bench.page import machine, write_part

HEADING = "What a recording takes"
WORDS = """A recording of a host that is made up (`tools/bench/day.py`): every metric there is, guests of 2 vCPUs, a
disk and an interface, a fifth of them busy, read once a second, written as fast as it goes. The memory is that of a
process that does nothing but this; it holds the hour that a sampler keeps for its charts, too. On disk is the most
that the parts took at any moment; in the last one they are made into one file, and both are there.

Machine: {machine}.

| guests | time | series | the file | most on disk before | highest memory | work for a second |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one recording took."""

    guests: int
    seconds: int
    series: int
    file_bytes: int
    most_bytes: int
    peak_bytes: int
    work_seconds: float
    """CPU time of the recorder for one second recorded."""


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What a recording takes.")
    parser.add_argument("--guests", type=int, nargs="+", default=[100])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(asdict(_record(options.guests[0], options.seconds))))
        return 0
    words = machine()
    rows = "".join(row(taken(guests, options.seconds)) for guests in options.guests)
    print(rows, end="")
    if options.write:
        write_part(HEADING, WORDS.format(machine=words) + rows)
    return 0


def taken(guests: int, seconds: int) -> Taken:
    """What a recording takes in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--alone", "--guests", str(guests), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Taken(**json.loads(done.stdout))


def row(told: Taken) -> str:
    """A line of the table."""
    cells = (
        str(told.guests),
        f"{told.seconds / 3600:g} h",
        str(told.series),
        f"{told.file_bytes / 1e6:.1f} MB",
        f"{told.most_bytes / 1e6:.1f} MB",
        f"{told.peak_bytes / 1e6:.0f} MB",
        f"{1000 * told.work_seconds:.1f} ms",
    )
    return "| " + " | ".join(cells) + " |\n"


def _record(guests: int, seconds: int) -> Taken:
    ring = Ring(CAPACITY)
    series: set[object] = set()
    most, work = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "day.parquet"
        names = day.names_of(guests)
        cover = Cover(kvmnb="0", began_at=day.START, note="made up", guests=names)
        writing = Writing(target, cover, instead=False)
        for number, frame in enumerate(day.frames(guests, seconds)):
            ring.append(frame)
            began = time.process_time()
            writing.add(frame)
            work += time.process_time() - began
            if number < 120:
                series |= frame.values.keys()
            if number % 60 == 0:
                most = max(most, _bytes_in(folder_of(target)))
        most = max(most, _bytes_in(folder_of(target)))
        writing.close("stopped")
        peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
        return Taken(guests, seconds, len(series), target.stat().st_size, most, 1024 * int(peak), work / seconds)


def _bytes_in(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.iterdir())


if __name__ == "__main__":
    sys.exit(main())
