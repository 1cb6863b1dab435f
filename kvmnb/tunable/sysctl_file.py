"""A kernel setting that each boot makes anew: a line of a file of ``sysctl.d``.

Of several files that set one key the last in the order of names counts, so the name sorts after the usual ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import Refused
from kvmnb.core.sysctl_d import in_order, parse_settings
from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.tunable.lasting import Lasting
from kvmnb.tunable.own_file import OwnFile
from kvmnb.tunable.sysctl_allowed import ALLOWED
from kvmnb.tunable.tunable import State, Verdict

_LINE = re.compile(r"([a-z0-9_.-]+) = ([0-9 ]+)")


def _line(key: str, value: str) -> str:
    return f"{key} = {value}"


def _setting(line: str) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line)
    return (match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class SysctlFile(Lasting):
    """One setting by its name with dots, as ``sysctl:`` spells it."""

    kind: ClassVar[str] = "sysctl_file"
    file: ClassVar[OwnFile] = OwnFile("etc/sysctl.d/99-zz-kvmnb.conf", _line, _setting)
    taken: ClassVar[str] = "which systemd-sysctl reads at the next boot"

    def __post_init__(self) -> None:
        if self.path not in ALLOWED:
            raise Refused(f"the sysctl {self.path[:120]!r} is not a setting that kvmnb turns")

    def check(self, value: str | None) -> None:
        if value is not None and not ALLOWED[self.path].fullmatch(value):
            raise Refused(f"the sysctl {self.path} cannot be set to {value!r}")

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """By the file, and by those that are read after it."""
        verdict = super(SysctlFile, self).verify(machine, value)
        last = next(iter(setters(machine.tree, self.path)[-1:]), None)
        if verdict.state is State.HOLDS and value is not None and last is not None and last[1] != value:
            return Verdict(State.DIFFERS, last[1], value, f"/{last[0]} is read after /{self.file.path} and sets it too")
        return verdict


def setters(files: Files, key: str) -> list[tuple[str, str]]:
    """The files that set a key, in the order in which a boot reads them, each with its value."""

    def names(folder: str) -> list[str]:
        try:
            return files.names(folder)
        except OSError:
            # A folder that is not there sets nothing.
            return []

    found = []
    for path in in_order(names):
        try:
            settings = parse_settings(files.read(path))
        except (OSError, ValueError):
            # A dangling link or a binary file: the boot reads nothing from it either.
            continue
        if key in settings:
            found.append((path, settings[key]))
    return found
