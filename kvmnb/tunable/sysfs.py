"""A setting of the running kernel that is one file below ``/sys``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import KvmnbError, Refused, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.tunable.tunable import State, Undo, Verdict, When

# Only what a rule may want is writable; a plan file cannot name any other path. The value's form is
# checked too, since the kernel takes some words that nobody should be able to send.
_ALLOWED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"devices/system/cpu/cpufreq/policy\d{1,5}/scaling_governor"), re.compile(r"[a-z]{1,16}")),
    (
        re.compile(r"devices/system/cpu/cpufreq/policy\d{1,5}/energy_performance_preference"),
        re.compile(r"[a-z_]{1,32}|\d{1,3}"),
    ),
    (re.compile(r"devices/system/cpu/cpufreq/policy\d{1,5}/scaling_max_freq"), re.compile(r"\d{4,9}")),
    (re.compile(r"kernel/mm/transparent_hugepage/(?:enabled|defrag|shmem_enabled)"), re.compile(r"[a-z+_]{1,16}")),
)


@dataclass(frozen=True, slots=True)
class Sysfs:
    """One file below ``/sys``; ``path`` is named from there, without a leading slash."""

    kind: ClassVar[str] = "sysfs"

    path: str

    def __post_init__(self) -> None:
        if not any(pattern.fullmatch(self.path) for pattern, _ in _ALLOWED):
            raise Refused(f"/sys/{self.path[:120]} is not a setting that kvmnb turns")

    @property
    def target(self) -> str:
        return "host"

    @property
    def when(self) -> When:
        return When.NOW

    @property
    def undo(self) -> Undo:
        return Undo.EXACT

    def read(self, machine: Machine) -> str | None:
        try:
            return chosen_word(machine.tree.read(f"sys/{self.path}"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as problem:
            raise KvmnbError(f"reading /sys/{self.path} of {machine.title}: {problem}") from problem

    def write(self, machine: Machine, value: str | None) -> None:
        if value is None or not any(path.fullmatch(self.path) and form.fullmatch(value) for path, form in _ALLOWED):
            raise Refused(f"/sys/{self.path} cannot be set to {value!r}")
        try:
            machine.tree.write(f"sys/{self.path}", value)
        except PermissionError as problem:
            raise WriteFailed(
                f"writing {value!r} to /sys/{self.path} needs root; run the command by hand: {self.command(value)}"
            ) from problem
        except OSError as problem:
            raise WriteFailed(
                f"writing {value!r} to /sys/{self.path}: the kernel refused it ({problem.strerror or problem})"
            ) from problem

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        found = self.read(machine)
        if found is None:
            return Verdict(State.NOT_APPLICABLE, None, value, f"/sys/{self.path} is not there")
        state = State.HOLDS if found == value else State.DIFFERS
        return Verdict(state, found, value, f"read from /sys/{self.path}")

    def command(self, value: str | None) -> str:
        return f"echo {value} | sudo tee /sys/{self.path}"

    def __str__(self) -> str:
        return f"sysfs:host:{self.path}"


def chosen_word(text: str) -> str:
    """The value of a kernel file; of a list with one word in brackets, that word.

    >>> chosen_word("always [madvise] never")
    'madvise'
    """
    match = re.fullmatch(r"(?:[\w+-]+ )*\[([\w+-]+)\](?: [\w+-]+)*", text)
    return match[1] if match else text
