"""What kvmnb-root does when it is asked: apply, verify, undo, confirm, resume."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from kvmnb.advise.finding import Safety
from kvmnb.apply import guard, run
from kvmnb.apply.opening import Terms
from kvmnb.apply.root.answer import Answer, Judged
from kvmnb.apply.root.caller import refuse_others
from kvmnb.apply.root.memory import memory_of
from kvmnb.apply.root.request import Apply, Confirm, Request, Undo, Verify, settings
from kvmnb.apply.shelf import Shelf
from kvmnb.apply.trial import Watchman
from kvmnb.apply.watch import watch
from kvmnb.core.errors import Refused, StalePlan
from kvmnb.machine import sources
from kvmnb.machine.identity import host_uuid
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change, Plan, version

GUARD = "kvmnb-root-guard"
"""The name under which the same program watches a plan; only kvmnb-root starts it."""


def answer(request: Request, uid: int) -> Answer:
    """Carry out a request of this user on this host."""
    machine = sources.host_alone()
    if isinstance(request, Verify):
        return _verify(request, machine)
    if isinstance(request, Apply):
        return _apply(request, machine, uid)
    shelf = Shelf.own()
    if isinstance(request, Undo) and not (shelf.folder / f"{request.id}.jsonl").exists():
        # Its caller was stopped before kvmnb-root had begun.
        return Answer(id=request.id, state="unknown")
    journal = shelf.find(request.id)
    refuse_others(journal.opening.owner, uid, request.id)
    here = host_uuid(machine, None)
    if isinstance(request, Undo):
        taken = run.undo_plan(journal, machine, here, only=request.only, take_drifted=request.take_drifted)
        names = tuple(value.tunable for one in taken for value in one.values)
        return Answer(id=journal.id, state=journal.state, taken_back=names)
    if isinstance(request, Confirm):
        if journal.opening.confirm_within is not None:
            run.confirm_plan(journal, machine, here)
    else:
        run.resume_plan(journal, machine, here)
    return Answer(id=journal.id, state=journal.state)


def watch_plan(words: Sequence[str]) -> int:
    """Be the guard of a plan of kvmnb-root's own."""
    if len(words) != 3:
        raise Refused(f"{GUARD} is started by kvmnb-root alone, with a plan's id, a deadline and a way")
    watch(Shelf.own(), words[0], float(words[1]), guard.way_of(words[2]), lambda journal: sources.host_alone())
    return 0


def _apply(request: Apply, machine: Machine, uid: int) -> Answer:
    changes = []
    for tunable, asked in zip(settings(request.changes), request.changes, strict=True):
        found = tunable.read(machine)
        if found != asked.before:
            raise StalePlan(
                f"{tunable} was {asked.before!r} when the plan was made and is {found!r} now; "
                "nothing was written, make a new plan"
            )
        changes.append(Change(tunable=tunable, before=found, after=asked.after, safety=Safety.SAFE, owner=None, why=()))
    here = host_uuid(machine, None)
    plan = Plan(
        id=request.id,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        kvmnb=version(),
        uri=machine.origin,
        host_uuid=here,
        machine=machine.kind,
        domains={},
        changes=tuple(changes),
        xml_diffs={},
        commands=(),
    )
    journal = run.apply_plan(plan, machine, here, terms=Terms(request.confirm_within, uid), watchman=_watchman())
    watching = guard.watching(journal.path)
    return Answer(
        id=journal.id, state=journal.state, survives=None if watching is None else guard.SURVIVES[watching.way]
    )


def _watchman() -> Watchman:
    program = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), GUARD)
    return Watchman((program,), {"PATH": os.environ.get("PATH", "/usr/bin:/bin")})


def _verify(request: Verify, machine: Machine) -> Answer:
    verdicts = []
    for tunable, asked in zip(settings(request.changes), request.changes, strict=True):
        found = tunable.verify(machine, asked.after)
        verdicts.append(Judged(asked.tunable, found.state.value, found.found, found.expected, found.reason))
    return Answer(verdicts=tuple(verdicts), memory=memory_of(request.guests, machine.tree))
