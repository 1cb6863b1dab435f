"""How many changes of a rule its own tests find: ``python -m tools.mutate`` (``make mutate``).

Every module of ``kvmnb/advise`` is changed in each way that cosmic-ray knows, and its tests run against each change.
Two workers; a run that was stopped goes on where it was, and a module is tried anew where it or its tests changed.
``--only WORD`` tries the modules whose name holds the word and prints what survives; a whole run writes
``docs/mutation.md``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from kvmnb.advise.registry import rules
from tools.mutate.report import Result, report
from tools.mutate.target import ROOT, Target, targets
from tools.mutate.trial import try_all

STATE = ROOT / ".mutation"


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
    began = time.monotonic()
    # The quick ones first: a run that is stopped has most of its results then.
    try_all(sorted(waiting, key=lambda one: (one.rule is None, len(one.tests))), _keep)
    print(f"{len(waiting)} modules tried in {time.monotonic() - began:.0f} s", flush=True)
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


def _keep(target: Target, found: Result) -> None:
    """Write a result down, whole or not at all, and say it."""
    with tempfile.NamedTemporaryFile("w", dir=STATE, delete=False) as file:
        json.dump({"state": target.state, **dataclasses.asdict(found)}, file, indent=1)
    Path(file.name).replace(STATE / f"{target.module}.json")
    print(found.line(), flush=True)


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
