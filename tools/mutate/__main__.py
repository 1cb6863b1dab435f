"""How many changes of a rule its own tests find: ``python -m tools.mutate`` (``make mutate``).

Every module of ``kvmnb/advise`` is changed in each way that cosmic-ray knows, and its tests run against each change.
Two workers; a run that was stopped goes on where it was, and a module is tried anew where it or its tests changed.
``--only WORD`` tries the modules whose name holds the word and prints what survives; a whole run writes
``docs/mutation.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from kvmnb.advise.registry import rules
from tools.mutate.report import Result, report
from tools.mutate.target import ROOT, Target, targets
from tools.mutate.trial import tried

STATE = ROOT / ".mutation"
WORKERS = 2


def main() -> None:
    """Try all targets, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", help="only modules whose name holds this word")
    parser.add_argument("--anew", action="store_true", help="also those that were tried already")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    STATE.mkdir(exist_ok=True)
    rules()
    asked = [one for one in targets() if chosen.only is None or chosen.only in one.module]
    waiting = [one for one in asked if chosen.anew or _known(one) is None]
    _run_all(waiting)
    results = [found for one in asked if (found := _known(one)) is not None]
    if chosen.only is not None:
        for one in results:
            print(one.line())
            print("".join(f"    {survivor}\n" for survivor in one.survivors), end="")
    elif len(results) == len(asked):
        (ROOT / "docs" / "mutation.md").write_text(report(results))
        print("docs/mutation.md is written")
    broken = [one.module for one in results if one.broken]
    if broken or len(results) < len(asked):
        sys.exit(f"without a result: {', '.join(broken) or 'see above'}")


def _run_all(waiting: list[Target]) -> None:
    """Two children at a time, each for one target; none shares a process with another's mutants."""
    running: dict[int, tuple[Target, float]] = {}
    todo = list(waiting)
    while todo or running:
        while todo and len(running) < WORKERS:
            target = todo.pop(0)
            child = os.fork()
            if child == 0:
                os._exit(_work(target))
            running[child] = (target, time.monotonic())
        done, _ = os.wait()
        target, began = running.pop(done)
        found = _known(target)
        said = found.line() if found is not None else f"{target.module}: no result"
        print(f"{said} in {time.monotonic() - began:.0f} s, {len(todo) + len(running)} left", flush=True)


def _work(target: Target) -> int:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    trial = tried(target)
    row = {
        "state": target.state,
        "module": target.module,
        "rule": target.rule,
        "killed": trial.killed,
        "survivors": trial.survivors,
        "broken": trial.broken,
    }
    with tempfile.NamedTemporaryFile("w", dir=STATE, delete=False) as file:
        json.dump(row, file, indent=1)
    Path(file.name).replace(STATE / f"{target.module}.json")
    return 0


def _known(target: Target) -> Result | None:
    """What an earlier run found, if neither the module nor its tests have changed since."""
    path = STATE / f"{target.module}.json"
    if not path.is_file():
        return None
    row = json.loads(path.read_text())
    if row.pop("state") != target.state:
        return None
    return Result(**row)


if __name__ == "__main__":
    main()
