"""What a guard does: wait until a plan is settled, or take it back when its time is over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from kvmnb.apply import guard
from kvmnb.apply.journal import Journal
from kvmnb.apply.recovery import settle
from kvmnb.apply.shelf import HALF_WAY, Shelf
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine import sources
from kvmnb.machine.machine import Machine

# Where kvmnb-root guards the host settings it reverts them itself; the caller's guard lets it go first.
AFTER_ROOT_SECONDS = 2.0
AGAIN_SECONDS = 5.0
ATTEMPTS = 60

_LOOK_SECONDS = 0.1


def watch(
    shelf: Shelf, journal_id: str, deadline: float, way: guard.Way, machine_of: Callable[[Journal], Machine]
) -> None:
    """Be the guard of a plan until it is settled; at the deadline, take it back where nobody confirmed it."""
    path = shelf.path(journal_id)
    if way == "session":
        guard.detach()
    with guard.on_watch(path, deadline, way):
        journal = Journal.load(path)
        if any(step.rooted for step in journal.opening.steps):
            deadline += AFTER_ROOT_SECONDS
        while guard.now() < deadline:
            if _settled(path):
                return
            time.sleep(max(0.0, min(_LOOK_SECONDS, deadline - guard.now())))
        for _ in range(ATTEMPTS):
            if _revert(shelf, path, machine_of):
                return
            time.sleep(AGAIN_SECONDS)


def _settled(path: Path) -> bool:
    return Journal.load(path).state not in HALF_WAY


def _revert(shelf: Shelf, path: Path, machine_of: Callable[[Journal], Machine]) -> bool:
    """Settle the plan once nobody else writes; False where a step could not be taken back, which the journal tells."""
    while True:
        try:
            with shelf.alone("taking back what was not confirmed"):
                journal = Journal.load(path)
                if journal.state not in HALF_WAY:
                    return True
                machine = machine_of(journal)
                try:
                    settle(journal, machine, take_drifted=True)
                finally:
                    machine.close()
                return True
        except Refused:
            # An applier still writes, or a confirmation is under way; it lets go of the lock when it ends or dies.
            time.sleep(_LOOK_SECONDS)
        except KvmnbError:
            return False


def _reopened(journal: Journal) -> Machine:
    return sources.reopened(journal.opening.machine, journal.opening.origin)


def main(words: list[str]) -> None:
    """Watch one of this user's plans: its id, the deadline, the way this process was started."""
    journal_id, deadline, way = words
    watch(Shelf.own(), journal_id, float(deadline), guard.way_of(way), _reopened)


if __name__ == "__main__":
    main(sys.argv[1:])
