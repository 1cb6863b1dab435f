"""A plan carried out as a whole, taken back, or brought to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kvmnb.apply import trial
from kvmnb.apply.back import take_back
from kvmnb.apply.effective.verify import verdicts
from kvmnb.apply.forward import carry_out
from kvmnb.apply.journal import Journal
from kvmnb.apply.opening import UNGUARDED, Terms, open_journal, refuse_disruptive, refuse_foreign
from kvmnb.apply.progress import Progress, silent
from kvmnb.apply.recovery import settle
from kvmnb.apply.shelf import Shelf
from kvmnb.apply.standing import Standing
from kvmnb.apply.trial import Watchman
from kvmnb.core.errors import Refused
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change, Plan
from kvmnb.tunable.tunable import Verdict


def apply_plan(
    plan: Plan,
    machine: Machine,
    host_uuid: str | None,
    *,
    accept_disruptive: bool = False,
    terms: Terms = UNGUARDED,
    watchman: Watchman | None = None,
    preflight: Callable[[], None] = lambda: None,
    began: Callable[[str], None] = lambda journal_id: None,
    progress: Progress = silent,
) -> Journal:
    """Write all changes of a plan, each announced, read back and undoable; on any failure, none stands.

    With ``terms.confirm_within`` its live part alone is written, under a guard (``watchman``: its program, this
    user's by default), and the journal is ``waiting`` for ``confirm_plan``.

    ``preflight`` raises what stands against the plan now that its values still hold. ``began`` gets the
    journal's id before the first write. Raises Refused and StalePlan with nothing
    written, ApplyFailed with all of it taken back, NotTakenBack where that failed too.
    """
    refuse_foreign(plan, machine, host_uuid)
    if not accept_disruptive:
        refuse_disruptive(plan)
    shelf = Shelf.own()
    with shelf.alone("applying a plan"):
        journal = open_journal(plan, machine, host_uuid, shelf, terms, preflight)
        began(journal.id)
        if terms.confirm_within is not None:
            trial.begin(journal, machine, terms.confirm_within, watchman or Watchman.own(), progress)
            return journal
        carry_out(journal, machine, journal.order, ending="applied", progress=progress)
        progress(len(journal.opening.steps), len(journal.opening.steps), "done")
    return journal


def confirm_plan(journal: Journal, machine: Machine, host_uuid: str | None, *, progress: Progress = silent) -> Journal:
    """Keep a plan that waits to be confirmed, and write its lasting part; see ``kvmnb.apply.trial.end``."""
    _refuse_elsewhere(journal, machine, host_uuid)
    with Shelf(journal.path.parent).alone("confirming a plan"):
        journal.reload()
        trial.end(journal, machine, progress=progress)
    return journal


def undo_plan(
    journal: Journal,
    machine: Machine,
    host_uuid: str | None,
    *,
    only: Sequence[str] = (),
    take_drifted: bool = False,
    progress: Progress = silent,
) -> tuple[Standing, ...]:
    """Take back what stands of a journal, or these tunables of it; see ``kvmnb.apply.back.take_back``."""
    _refuse_elsewhere(journal, machine, host_uuid)
    with Shelf(journal.path.parent).alone("undoing a plan"):
        journal.reload()
        return take_back(journal, machine, only=only, take_drifted=take_drifted, progress=progress)


def resume_plan(journal: Journal, machine: Machine, host_uuid: str | None, *, progress: Progress = silent) -> Journal:
    """Bring a plan that was left half-way to its end, forward or back; see ``kvmnb.apply.recovery.settle``."""
    _refuse_elsewhere(journal, machine, host_uuid)
    with Shelf(journal.path.parent).alone("resuming a plan"):
        journal.reload()
        settle(journal, machine, progress=progress)
    return journal


def verify_changes(changes: tuple[Change, ...], machine: Machine) -> tuple[tuple[Change, Verdict], ...]:
    """Each change with whether its value is in force, on the layer where it works."""
    found = verdicts([(change.tunable, change.after) for change in changes], machine)
    return tuple(zip(changes, found, strict=True))


def _refuse_elsewhere(journal: Journal, machine: Machine, host_uuid: str | None) -> None:
    opening = journal.opening
    if (opening.host_uuid, opening.origin) != (host_uuid, machine.origin):
        raise Refused(
            f"the journal {journal.id} is of {opening.origin} (host {opening.host_uuid}), "
            f"not of {machine.origin} (host {host_uuid})"
        )
