"""A setting of a block device's queue that holds whenever the device appears: a udev rule.

The rule names the device as the kernel does. A name such as ``sda`` goes by the order of discovery: where
several disks of this kind are in the host, look after a boot whether it is still the same one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import Refused
from kvmnb.tunable.lasting import Lasting
from kvmnb.tunable.own_file import OwnFile
from kvmnb.tunable.sysfs_allowed import form_of

_PATH = re.compile(r"block/([A-Za-z0-9!_.-]+)/(queue/[a-z_]+)")
_LINE = re.compile(
    r'ACTION=="add\|change", SUBSYSTEM=="block", KERNEL=="([A-Za-z0-9!_.-]+)", '
    r'ATTR\{(queue/[a-z_]+)\}="([A-Za-z0-9_-]+)"'
)


def applies(path: str) -> bool:
    """Whether a udev rule is the right lasting form of this file below ``/sys``."""
    return _PATH.fullmatch(path) is not None


def _line(path: str, value: str) -> str:
    _, device, attribute = path.split("/", 2)
    return f'ACTION=="add|change", SUBSYSTEM=="block", KERNEL=="{device}", ATTR{{{attribute}}}="{value}"'


def _setting(line: str) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line)
    return (f"block/{match[1]}/{match[2]}", match[3]) if match else None


@dataclass(frozen=True, slots=True)
class Udev(Lasting):
    """One file by its path below ``/sys``, as ``sysfs:`` spells it."""

    kind: ClassVar[str] = "udev"
    file: ClassVar[OwnFile] = OwnFile("etc/udev/rules.d/99-zz-kvmnb.rules", _line, _setting)
    taken: ClassVar[str] = "which udev reads when the device next appears or changes"

    def __post_init__(self) -> None:
        form_of(self.path)
        if not applies(self.path):
            raise Refused(f"/sys/{self.path} is not kept by a udev rule")

    def check(self, value: str | None) -> None:
        if value is not None and not form_of(self.path).fullmatch(value):
            raise Refused(f"/sys/{self.path} cannot be set to {value!r}")
