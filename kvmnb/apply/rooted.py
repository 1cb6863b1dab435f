"""Host settings of an ordinary user's plan, written by kvmnb-root through ``sudo -n`` or pkexec.

All host settings of a plan are one request; kvmnb-root keeps a journal of its own under the same plan id, and
writes all of them or none. To the caller's journal they are a step like any other.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

from kvmnb.apply import guard
from kvmnb.apply.journal import Journal
from kvmnb.apply.root.answer import Answer, decoded
from kvmnb.apply.root.request import SCHEMA, Apply, Asked, Confirm, Request, Undo
from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import HOST_ALONE
from kvmnb.tunable import names
from kvmnb.tunable.target import HOST
from kvmnb.tunable.tunable import Tunable

PROGRAM = "/usr/local/lib/kvmnb-root/kvmnb-root"
# A person types a password meanwhile, or a pool of hugepages is made on a host that has to compact its memory.
ANSWER_SECONDS = 300


def needs_root(machine: Machine, tunable: Tunable) -> bool:
    """Whether this process must ask kvmnb-root to write a tunable."""
    return machine.kind == "live" and machine.origin != HOST_ALONE and tunable.target == HOST and os.geteuid() != 0


def write(journal: Journal) -> None:
    """Have kvmnb-root write all host settings of a plan; the lasting ones wait where the plan is to be confirmed."""
    deadline = guard.deadline_of(journal.path) if journal.opening.confirm_within is not None else None
    seconds = None
    if deadline is not None:
        seconds = max(guard.SHORTEST_SECONDS, math.floor(deadline - guard.now()))
    changes = tuple(Asked(one.tunable, one.before, one.after) for one in _values(journal))
    ask(Apply(SCHEMA, journal.id, changes, seconds), instead=_by_hand(journal))


def confirm(journal: Journal) -> None:
    """Have kvmnb-root keep a plan's host settings and write their lasting forms, where it has any."""
    if any(step.rooted for step in journal.opening.steps):
        ask(Confirm(SCHEMA, journal.id))


def undo(journal: Journal) -> None:
    """Have kvmnb-root take back what it wrote for a plan: all of it, or what a person chose of it."""
    turned = journal.turned_back
    chosen = {value.tunable for value in turned.values} if turned is not None else set()
    only = tuple(one.tunable for one in _values(journal) if one.tunable in chosen)
    # Whether something else changed a value since was judged when this undo began.
    ask(Undo(SCHEMA, journal.id, only, take_drifted=True))


def undo_alone(journal_id: str, *, take_drifted: bool) -> tuple[str, ...] | None:
    """Have kvmnb-root take back a plan whose other journal is lost; the settings, None where it knows no such plan."""
    answer = ask(Undo(SCHEMA, journal_id, take_drifted=take_drifted))
    return None if answer.state == "unknown" else answer.taken_back


def installed() -> bool:
    """Whether kvmnb-root is there to be asked."""
    return os.path.exists(_program())


def ask(request: Request, instead: str = "", *, quietly: bool = False) -> Answer:
    """kvmnb-root's answer, or the error that it tells; Refused, with ``instead``, where it is not reached.

    A person who is asked for a password has some minutes; KvmnbError where no answer came in that time. With
    ``quietly`` nobody is asked, so pkexec is left out.
    """
    raw = codec.to_json(request).encode()
    silent = []
    for words in _ways(quietly):
        try:
            done = subprocess.run(words, input=raw, capture_output=True, timeout=ANSWER_SECONDS, check=False, cwd="/")
        except OSError as problem:
            silent.append(f"{words[0]}: {problem.strerror}")
            continue
        except subprocess.TimeoutExpired:
            raise KvmnbError(f"{words[0]}: kvmnb-root did not answer within {ANSWER_SECONDS} s") from None
        if done.stdout.startswith(b'{"schema":'):
            return decoded(done.stdout, "kvmnb-root's answer")
        said = done.stderr.decode(errors="replace").strip().splitlines()
        silent.append(f"{words[0]}: {said[-1][:200] if said else f'exit code {done.returncode}'}")
    why = "; ".join(silent) or "neither sudo nor pkexec is installed"
    raise Refused(f"this needs root's rights, and kvmnb-root was not reached ({why}){instead}")


def _ways(quietly: bool) -> Iterator[Sequence[str]]:
    program = _program()
    if not os.path.exists(program):
        raise Refused(f"this needs root's rights, and {program} is not installed; `make install-root` does that")
    if os.geteuid() == 0:
        yield [program]
        return
    if sudo := shutil.which("sudo"):
        yield [sudo, "-n", program]
    if not quietly and (pkexec := shutil.which("pkexec")):
        # Without a terminal nobody could answer in it; a graphical session has an agent of its own.
        yield (
            [pkexec, program]
            if sys.stdin is not None and sys.stdin.isatty()
            else [
                pkexec,
                "--disable-internal-agent",
                program,
            ]
        )


def _program() -> str:
    return os.environ.get("KVMNB_ROOT") or PROGRAM


def _values(journal: Journal) -> Iterator[Asked]:
    for step in journal.opening.steps:
        if step.rooted:
            for value in step.values:
                yield Asked(value.tunable, value.before, value.after)


def _by_hand(journal: Journal) -> str:
    commands = (names.parse(one.tunable, journal.opening.domains).command(one.after) for one in _values(journal))
    return f"; nothing was changed; by hand: {'; '.join(commands)}"
