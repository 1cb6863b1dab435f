"""How true the matrix of neighbours is, and what looking costs.

``python -m tools.bench.neighbours --write`` tries it on generated placements, whose truth is known, and on this
machine with processes that look like guests; it writes docs/neighbours.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from contextlib import ExitStack
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/neighbours.md"
PLACEMENTS = 200
PERIODS = (0.05, 0.1, 0.2, 0.5, 1.0)
GUESTS = 20
SECONDS = 10.0
HEAD = """# Who takes whose CPU

`here.neighbours()` in a notebook and `kvmnb diagnose` in a terminal name, for each guest whose vCPUs wait, those who
ran meanwhile: other guests, their vhost workers, processes, the kernel's threads, interrupts, the hypervisor that this
host itself runs on, and the guest's own CPU quota. The unit is seconds of run delay per second.

## How it is found

Several times a second all busy threads are looked at: how long each ran and waited (`schedstat`), and on which CPU it
was (`stat`). What a quota held back (`cpu.stat`) is taken out of a guest's wait first. A vCPU that stayed on one CPU
waited for those who ran on that CPU meanwhile, in proportion; of one that moved, only what holds on either CPU is
given. The rest is "unknown" and is shown as such, with its share; it is never spread. Nothing is read while nobody
looks.

* A wait is counted by the kernel when it ends: one that outlasts the window is not seen.
* Steal while a vCPU itself holds the CPU is no run delay, so it is not in the matrix; `diag.cpu.steal` tells it.
* What a process did that lived shorter than about half a second is in the unknown share.
* Of recorded series only guests' threads and the host's CPUs are known: what other processes took is unknown.

## How true it is

{placements} placements are generated from seeds: guests with one or two vCPUs, pinned or floating over one to four
CPUs, some with a quota, processes of the host beside them, some below a hypervisor that steals. The simulation knows
who took the CPU in each millisecond. Precision: of what was blamed on somebody, how much is true. Recall: of what is
true, how much was blamed. Unknown: the share of all waits that nobody is blamed for.

| a look every | precision | recall | unknown |
|---|---|---|---|
"""
COST = """
On real guests `tests/measure/test_neighbours_on_the_lab.py` compares the matrix with the threads' own accounts.

## What it costs

{guests} processes that look like guests of 2 vCPUs each, among {processes} processes, {a_second:g} looks a second for
{seconds:g} s: **{each:.1f} ms** of CPU time a look, **{share:.1%}** of one core while somebody looks, sweeps over all
processes included. Where looks cost more than {most:.0%} of a core, fewer are made, and the result says so.

Machine: {machine}.
"""


def table() -> str:
    """The rows: precision, recall and unknown share at each period."""
    from tests.measure.scheduling import precision_and_recall

    rows = []
    for period in PERIODS:
        found = precision_and_recall(range(PLACEMENTS), period)
        rows.append(f"| {period:g} s | " + " | ".join(f"{one:.3f}" for one in found) + " |\n")
        print(rows[-1], end="", flush=True)
    return "".join(rows)


def cost() -> str:
    """What looking costs on this machine."""
    from kvmnb.machine.files import Files
    from kvmnb.measure.looks import LOOKS_A_SECOND, MOST_SHARE, Looks
    from tests.measure.stand_in import IDLE, StandIn

    with ExitStack() as stack:
        for number in range(GUESTS):
            stack.enter_context(StandIn(IDLE, IDLE, name=f"bench{number}"))
        looks = Looks(Files(Path("/")))
        began = time.thread_time()
        count = sum(1 for _ in looks.over(SECONDS, LOOKS_A_SECOND))
        took = time.thread_time() - began
    return COST.format(
        guests=GUESTS,
        processes=sum(one.isdecimal() for one in os.listdir("/proc")),
        a_second=LOOKS_A_SECOND,
        seconds=SECONDS,
        each=took / count * 1000,
        share=took / SECONDS,
        most=MOST_SHARE,
        machine=f"{os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}",
    )


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="How true the matrix of neighbours is, and what looking costs.")
    parser.add_argument("--write", action="store_true", help="write docs/neighbours.md")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    text = HEAD.format(placements=PLACEMENTS) + table() + cost()
    print(text[text.rindex("## What") :], end="")
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
