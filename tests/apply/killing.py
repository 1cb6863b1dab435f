"""Work done in a process of its own that is killed at a chosen call."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kvmnb.machine.connection import Connection
from kvmnb.machine.files import Files

CALLS: tuple[tuple[Any, str], ...] = (
    (os, "write"),
    (os, "fsync"),
    (os, "link"),
    (os, "replace"),
    (os, "ftruncate"),
    (Files, "write"),
    (Files, "set_nic"),
    (Connection, "define"),
    (Connection, "pin"),
)
"""Whatever the applier changes the world with; a process is killed before or after any of them."""


def killed(work: Callable[[], object], at: int, passed: list[int] | None = None) -> bool:
    """Do the work in a child that kills itself at the ``at``-th boundary; whether it came that far."""
    pid = os.fork()
    if pid == 0:
        try:
            _arm(at, [] if passed is None else passed)
            work()
            sys.stdout.flush()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work itself failed; its words are above"
    return False


def boundaries(work: Callable[[], object], scratch: Path) -> int:
    """How many boundaries the work has; it is done once, in a child."""

    passed: list[int] = []

    def counted() -> None:
        work()
        scratch.write_text(str(len(passed)))

    assert not killed(counted, -1, passed)
    return int(scratch.read_text())


def _arm(at: int, passed: list[int]) -> None:
    def boundary() -> None:
        if len(passed) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        passed.append(at)

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            boundary()
            found = function(*arguments, **named)
            boundary()
            return found

        return call

    for owner, name in CALLS:
        setattr(owner, name, watched(getattr(owner, name)))
