"""A plan on trial: its live part stands while a guard watches; confirmed, it goes on, else it is taken back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kvmnb.apply import guard, rooted
from kvmnb.apply.back import roll_back
from kvmnb.apply.forward import carry_out
from kvmnb.apply.journal import Journal
from kvmnb.apply.progress import Progress, silent
from kvmnb.apply.shelf import HALF_WAY
from kvmnb.core.errors import KvmnbError, NotConfirmed, NotTakenBack, Refused
from kvmnb.machine.machine import Machine

# What a guard of this user's needs to find the same state, libvirt and kvmnb-root; nothing else is passed on.
_PASSED_ON = (
    "HOME",
    "KVMNB_ROOT",
    "LANG",
    "PATH",
    "PYTHONPATH",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Watchman:
    """The program that watches a plan, and its environment."""

    command: Sequence[str]
    environment: Mapping[str, str]

    @classmethod
    def own(cls) -> Watchman:
        """This user's, run by this Python."""
        found = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return cls((sys.executable, "-P", "-m", "kvmnb.apply.watch"), found)


def begin(journal: Journal, machine: Machine, seconds: int, watchman: Watchman, progress: Progress) -> None:
    """Start the guard, write the live part, and leave the plan waiting; the shelf's lock is held by the caller."""
    try:
        guard.start(journal.path, seconds, watchman.command, watchman.environment)
    except KvmnbError as problem:
        roll_back(journal, machine, problem)
        raise
    carry_out(journal, machine, journal.steps(lasting=False), progress=progress)
    try:
        journal.append("wait", word=f"{seconds} s")
    except KvmnbError as problem:
        roll_back(journal, machine, problem)
        raise


def outcome(journal: Journal) -> str:
    """Wait until a plan that waits is settled; the word it ended with.

    NotTakenBack where its time is over and nobody watches it any more.
    """
    while journal.state in HALF_WAY:
        deadline = guard.deadline_of(journal.path)
        over = deadline is None or guard.now() > deadline
        if over and guard.watching(journal.path) is None and Journal.load(journal.path).state in HALF_WAY:
            raise NotTakenBack(
                f"the guard of plan {journal.id} was stopped, and its changes may stand; "
                f"take them back with `kvmnb undo {journal.id}`"
            )
        time.sleep(_LOOK_SECONDS)
        journal.reload()
    return journal.state


def end(journal: Journal, machine: Machine, *, progress: Progress = silent) -> None:
    """Keep a waiting plan and write its lasting part; the shelf's lock is held by the caller.

    NotConfirmed where its time is over. A plan that was confirmed before is left as it is.
    """
    confirmed = any(record.deed == "confirmed" for record in journal.records)
    if journal.opening.confirm_within is None:
        raise Refused(f"plan {journal.id} was applied without a guard, so there is nothing to confirm")
    if confirmed and journal.state == "applied":
        return
    if journal.state != "waiting":
        raise NotConfirmed(
            f"plan {journal.id} cannot be confirmed any more: it is {journal.state} "
            f"(`kvmnb journal show {journal.id}` tells when)"
        )
    deadline = guard.deadline_of(journal.path)
    if deadline is None or guard.now() >= deadline:
        raise NotConfirmed(
            f"the time of plan {journal.id} is over, so it is taken back; "
            f"if its guard was stopped, `kvmnb undo {journal.id}` does that"
        )
    try:
        rooted.confirm(journal)
    except KvmnbError as problem:
        roll_back(journal, machine, problem)
        raise
    journal.append("confirmed")
    carry_out(journal, machine, journal.steps(lasting=True), ending="applied", progress=progress)
