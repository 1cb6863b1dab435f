"""A setting of the running kernel that is one file below ``/sys``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import Refused
from kvmnb.machine.machine import Machine
from kvmnb.tunable import module, tmpfiles, udev
from kvmnb.tunable.kernel_file import read_value, verdict, write_value
from kvmnb.tunable.running_host import RunningHost
from kvmnb.tunable.sysfs_allowed import form_of
from kvmnb.tunable.target import only_host
from kvmnb.tunable.tunable import Undo, Verdict, Want


@dataclass(frozen=True, slots=True)
class Sysfs(RunningHost):
    """One file below ``/sys``; ``path`` is named from there, without a leading slash."""

    kind: ClassVar[str] = "sysfs"

    path: str

    def __post_init__(self) -> None:
        form_of(self.path)

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Sysfs:
        only_host(target, cls.kind)
        return cls(path)

    @property
    def undo(self) -> Undo:
        # A pool does not shrink below the pages that guests hold; what is left over becomes surplus.
        return Undo.NEEDS_GUEST_STOPPED if self.path.endswith("/nr_hugepages") else Undo.EXACT

    def check(self, value: str | None) -> None:
        if value is None or not form_of(self.path).fullmatch(value):
            raise Refused(f"/sys/{self.path} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        found = read_value(machine, self._path)
        return None if found is None else chosen_word(found)

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        write_value(machine, self._path, str(value), self.command(value))

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        return verdict(self._path, self.read(machine), value)

    def command(self, value: str | None) -> str:
        return f"echo {value} | sudo tee /sys/{self.path}"

    def lasting(self, value: str | None) -> Want | None:
        """By tmpfiles.d, udev or modprobe.d; a bridge is set where it is made, so it has none."""
        if tmpfiles.applies(self.path):
            return Want(tmpfiles.Tmpfiles(self.path), value)
        if udev.applies(self.path):
            return Want(udev.Udev(self.path), value)
        if module.applies(self.path):
            return Want(module.Module.of(self.path), value)
        return None

    @property
    def _path(self) -> str:
        return f"sys/{self.path}"

    def __str__(self) -> str:
        return f"sysfs:host:{self.path}"


def chosen_word(text: str) -> str:
    """The value of a kernel file; of a list with one word in brackets, that word.

    >>> chosen_word("always [madvise] never")
    'madvise'
    """
    match = re.fullmatch(r"(?:[A-Za-z0-9_+-]+ )*\[([A-Za-z0-9_+-]+)\](?: [A-Za-z0-9_+-]+)*", text)
    return match[1] if match else text
