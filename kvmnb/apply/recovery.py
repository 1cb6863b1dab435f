"""A plan that a stopped process left half-way, brought to its end."""

from __future__ import annotations

from kvmnb.apply.back import announced_tunables, holds, take_back
from kvmnb.apply.boot import booted_since
from kvmnb.apply.forward import carry_out
from kvmnb.apply.journal import Journal
from kvmnb.apply.progress import Progress, silent
from kvmnb.apply.shelf import HALF_WAY
from kvmnb.core.errors import Refused
from kvmnb.machine.machine import Machine


def settle(journal: Journal, machine: Machine, *, take_drifted: bool = False, progress: Progress = silent) -> str:
    """Go on the way the stopped process went: forward to all-after, or back to all-before; how it ended.

    Back where the plan had failed, was being undone, waited for a confirmation that nobody gave, where the host was
    booted since, or where a value that was written holds no more: part of the plan is gone then. The lock is held by
    the caller.
    """
    if journal.state not in HALF_WAY:
        raise Refused(f"plan {journal.id} was not left half-way ({journal.state}), so there is nothing to resume")
    problem = journal.problem()
    if problem is not None:
        raise Refused(f"resuming {journal.id}: {problem}; nothing was changed")
    turned = journal.turned_back
    if turned is None and not _unconfirmed(journal) and _holds_so_far(journal, machine):
        journal.append("resume")
        carry_out(journal, machine, journal.order, ending="applied", progress=progress)
        return journal.state
    only = tuple(value.tunable for value in turned.values) if turned is not None else ()
    standing = {value.tunable for one in journal.standing() for value in one.values}
    ending = "rolled back" if turned is None or turned.deed == "failed" else "undone"
    take_back(
        journal,
        machine,
        only=tuple(name for name in only if name in standing),
        why="resumed",
        take_drifted=take_drifted,
        ending="reverted" if _unconfirmed(journal) and (turned is None or turned.deed == "wait") else ending,
        progress=progress,
    )
    return journal.state


def _holds_so_far(journal: Journal, machine: Machine) -> bool:
    """Whether all that was written and read back is so still; a full disk may have kept its taking back unrecorded."""
    return not booted_since(journal, machine) and all(
        holds(tunable, value.after, tunable.read(machine), machine)
        for one in journal.standing()
        if not one.in_the_air
        for tunable, value in announced_tunables(journal, one.values)
    )


def _unconfirmed(journal: Journal) -> bool:
    """Whether the plan had to be confirmed, and nobody did."""
    confirmed = any(record.deed == "confirmed" for record in journal.records)
    return journal.opening.confirm_within is not None and not confirmed
