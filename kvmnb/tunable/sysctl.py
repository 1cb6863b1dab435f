"""A setting of the running kernel below ``/proc/sys``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import Refused
from kvmnb.machine.machine import Machine
from kvmnb.tunable.kernel_file import read_value, verdict, write_value
from kvmnb.tunable.running_host import RunningHost
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.sysctl_allowed import ALLOWED
from kvmnb.tunable.sysctl_file import SysctlFile
from kvmnb.tunable.target import only_host
from kvmnb.tunable.tunable import Verdict, Want


@dataclass(frozen=True, slots=True)
class Sysctl(RunningHost):
    """One setting by its name with dots, in force until the next boot."""

    kind: ClassVar[str] = "sysctl"

    key: str

    def __post_init__(self) -> None:
        if self.key not in ALLOWED:
            raise Refused(f"the sysctl {self.key[:120]!r} is not a setting that kvmnb turns")

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Sysctl:
        only_host(target, cls.kind)
        return cls(path)

    def check(self, value: str | None) -> None:
        if value is None or not ALLOWED[self.key].fullmatch(value):
            raise Refused(f"the sysctl {self.key} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        return read_value(machine, self._path)

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        write_value(machine, self._path, str(value), self.command(value))

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        return verdict(self._path, self.read(machine), value)

    def command(self, value: str | None) -> str:
        return f"sudo sysctl -w {shell_word(f'{self.key}={value}')}"

    def lasting(self, value: str | None) -> Want | None:
        return Want(SysctlFile(self.key), value)

    @property
    def _path(self) -> str:
        return "proc/sys/" + self.key.replace(".", "/")

    def __str__(self) -> str:
        return f"sysctl:host:{self.key}"
