"""What kvmnb-root does when it is asked: apply, verify, undo, confirm, resume."""

from __future__ import annotations

from collections.abc import Sequence

from kvmnb.apply.root.answer import Answer, Judged
from kvmnb.apply.root.memory import memory_of
from kvmnb.apply.root.request import Request, Verify, settings
from kvmnb.core.errors import Refused
from kvmnb.machine import sources
from kvmnb.machine.machine import Machine


def answer(request: Request, uid: int) -> Answer:
    """Carry out a request of this user on this host."""
    machine = sources.host_alone()
    if isinstance(request, Verify):
        return _verify(request, machine)
    raise Refused("this kvmnb-root verifies, and writes nothing yet")


def guard(words: Sequence[str]) -> int:
    """Watch a plan until it is settled or its time is over."""
    raise Refused("this kvmnb-root has no guard yet")


def _verify(request: Verify, machine: Machine) -> Answer:
    verdicts = []
    for tunable, asked in zip(settings(request.changes), request.changes, strict=True):
        found = tunable.verify(machine, asked.after)
        verdicts.append(Judged(asked.tunable, found.state.value, found.found, found.expected, found.reason))
    return Answer(verdicts=tuple(verdicts), memory=memory_of(request.guests, machine.tree))
