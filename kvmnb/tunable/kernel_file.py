"""Reading and writing one file of the running kernel, with words for people where it refuses."""

from __future__ import annotations

import os

from kvmnb.core.errors import KvmnbError, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.tunable.tunable import State, Verdict, compared


def read_value(machine: Machine, path: str) -> str | None:
    """The file's text, fields divided by one space; None where the kernel has no such file."""
    try:
        return " ".join(machine.tree.read(path).split())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as problem:
        raise KvmnbError(f"reading /{path} of {machine.title}: {problem}") from problem


def write_value(machine: Machine, path: str, value: str, by_hand: str) -> None:
    """Write the file in one call; WriteFailed with the kernel's word and the command for a person."""
    try:
        machine.tree.write(path, value)
    except PermissionError as problem:
        if os.geteuid() == 0:
            raise WriteFailed(f"writing {value!r} to /{path}: this kernel lets nobody write it") from problem
        raise WriteFailed(f"writing {value!r} to /{path} needs root; run the command by hand: {by_hand}") from problem
    except OSError as problem:
        word = problem.strerror or str(problem)
        raise WriteFailed(f"writing {value!r} to /{path}: the kernel refused it ({word})") from problem


def verdict(path: str, found: str | None, value: str | None) -> Verdict:
    """Whether the file has the value."""
    if found is None:
        return Verdict(State.NOT_APPLICABLE, None, value, f"/{path} is not there")
    return compared(found, value, f"read from /{path}")
