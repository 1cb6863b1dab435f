"""How a mounted file system keeps access times, changed live; ``/etc/fstab`` is shown and never written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import KvmnbError, Refused, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.machine.remount import mount_point
from kvmnb.tunable.running_host import RunningHost
from kvmnb.tunable.spelling import percent_decode, percent_encode, shell_word
from kvmnb.tunable.target import HOST, only_host
from kvmnb.tunable.tunable import State, Verdict, compared

_WORDS = ("relatime", "noatime", "strictatime")
_TABLES = ("proc/self/mountinfo", "proc/1/mountinfo")


@dataclass(frozen=True, slots=True)
class Mount(RunningHost):
    """The mount on top at one path: ``relatime``, ``noatime`` or ``strictatime``."""

    kind: ClassVar[str] = "mount"

    point: str

    def __post_init__(self) -> None:
        parts = self.point.split("/")
        if not self.point.startswith("/") or "\0" in self.point or {".", ".."} & set(parts) or "" in parts[1:-1]:
            raise Refused(f"{self.point[:80]!r} is no path of a mount")

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Mount:
        only_host(target, cls.kind)
        if not path.startswith("atime[") or not path.endswith("]"):
            raise Refused(f"{path[:80]!r} is not a mount's setting; the form is atime[MOUNT POINT]")
        return cls(percent_decode(path[6:-1]))

    def check(self, value: str | None) -> None:
        if value not in _WORDS:
            raise Refused(f"the mount at {self.point} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        """The word of the mount; None where nothing is mounted there."""
        found = None
        for line in _table(machine).splitlines():
            fields = line.split(" ")
            if len(fields) > 5 and mount_point(fields[4]) == self.point:
                # strictatime is the absence of the other two.
                found = next((word for word in fields[5].split(",") if word in _WORDS), "strictatime")
        return found

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        try:
            machine.tree.set_atime(self.point, str(value))
        except PermissionError as problem:
            raise WriteFailed(f"remounting {self.point} needs root; run by hand: {self.command(value)}") from problem
        except OSError as problem:
            word = problem.strerror or str(problem)
            raise WriteFailed(
                f"remounting {self.point} as {value}: the kernel refused it ({word}); by hand: {self.command(value)}"
            ) from problem

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        found = self.read(machine)
        if found is None:
            return Verdict(State.NOT_APPLICABLE, None, value, f"nothing is mounted at {self.point}")
        return compared(found, value, "read from the mount table")

    def command(self, value: str | None) -> str:
        return f"sudo mount -o remount,{value} {shell_word(self.point)}  # lasting: {value} in its line of /etc/fstab"

    def __str__(self) -> str:
        return f"{self.kind}:{HOST}:atime[{percent_encode(self.point)}]"


def _table(machine: Machine) -> str:
    problem: Exception | None = None
    for path in _TABLES:
        try:
            return machine.tree.read(path)
        except (OSError, ValueError) as found:
            problem = found
    raise KvmnbError(f"reading the mounts of {machine.title}: {problem}")
