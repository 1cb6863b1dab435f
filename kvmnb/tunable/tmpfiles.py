"""A file below ``/sys`` that each boot sets anew: a line of a file of ``tmpfiles.d``.

It suits what is there before any device is found: transparent hugepages, KSM, the nodes' pools of
hugepages, the CPUs' frequencies. systemd-tmpfiles takes the first line of several for one path, and reads
files in the order of their names, so the name begins with ``00``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import Refused
from kvmnb.tunable.lasting import Lasting
from kvmnb.tunable.own_file import OwnFile
from kvmnb.tunable.sysfs_allowed import form_of

_PATHS = re.compile(r"(?:kernel/mm|devices/system/(?:node|cpu/cpufreq))/.*")
_LINE = re.compile(r"w /sys/([A-Za-z0-9_./-]+) - - - - ([A-Za-z0-9_+-]+)")


def applies(path: str) -> bool:
    """Whether tmpfiles.d is the right lasting form of this file below ``/sys``."""
    return _PATHS.fullmatch(path) is not None


def _line(path: str, value: str) -> str:
    return f"w /sys/{path} - - - - {value}"


def _setting(line: str) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line)
    return (match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class Tmpfiles(Lasting):
    """One file by its path below ``/sys``, as ``sysfs:`` spells it."""

    kind: ClassVar[str] = "tmpfiles"
    file: ClassVar[OwnFile] = OwnFile("etc/tmpfiles.d/00-kvmnb.conf", _line, _setting)
    taken: ClassVar[str] = "which systemd-tmpfiles reads at the next boot"

    def __post_init__(self) -> None:
        form_of(self.path)
        if not applies(self.path):
            raise Refused(f"/sys/{self.path} is not kept by tmpfiles.d")

    def check(self, value: str | None) -> None:
        if value is not None and not form_of(self.path).fullmatch(value):
            raise Refused(f"/sys/{self.path} cannot be set to {value!r}")
