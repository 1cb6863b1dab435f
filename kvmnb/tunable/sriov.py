"""The number of virtual functions of a PCI device, set through 0, since the kernel takes no other way.

Its undo is lossy: MAC addresses, VLANs and other settings of virtual functions are gone with them. While one
of them is in use, by a guest or by the host, nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import Refused
from kvmnb.machine.machine import Machine
from kvmnb.tunable.kernel_file import read_value, verdict, write_value
from kvmnb.tunable.running_host import RunningHost
from kvmnb.tunable.target import HOST, only_host
from kvmnb.tunable.tunable import Undo, Verdict

_ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}")
# What hands a function to a guest.
_FOR_GUESTS = ("vfio-pci", "pci-stub")


@dataclass(frozen=True, slots=True)
class Sriov(RunningHost):
    """The virtual functions of the device at a PCI address, ``0000:3b:00.0``."""

    kind: ClassVar[str] = "sriov"

    address: str

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise Refused(f"{self.address[:40]!r} is no PCI address")

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Sriov:
        only_host(target, cls.kind)
        return cls(path)

    @property
    def undo(self) -> Undo:
        return Undo.LOSSY

    def check(self, value: str | None) -> None:
        if value is None or not _NUMBER.fullmatch(value):
            raise Refused(f"the virtual functions of {self.address} cannot be {value!r}")

    def read(self, machine: Machine) -> str | None:
        return read_value(machine, f"{self._folder}/sriov_numvfs")

    def write(self, machine: Machine, value: str | None) -> None:
        """Refused where a function is in use; WriteFailed with the kernel's word."""
        self.check(value)
        used = list(self._in_use(machine))
        if used:
            raise Refused(f"the virtual functions of {self.address} are in use: {', '.join(used[:4])}; free them first")
        path = f"{self._folder}/sriov_numvfs"
        if self.read(machine) != "0":
            write_value(machine, path, "0", self.command("0"))
        if value != "0":
            write_value(machine, path, str(value), self.command(value))

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        return verdict(f"{self._folder}/sriov_numvfs", self.read(machine), value)

    def command(self, value: str | None) -> str:
        path = f"/{self._folder}/sriov_numvfs"
        first = "" if value == "0" else f"echo 0 | sudo tee {path} && "
        return f"{first}echo {value} | sudo tee {path}"

    def _in_use(self, machine: Machine) -> Iterator[str]:
        """Each function that a guest has, or whose network device is up."""
        for name in machine.tree.names(self._folder):
            if not re.fullmatch(r"virtfn[0-9]{1,4}", name):
                continue
            function = f"{self._folder}/{name}"
            address = machine.tree.link(function).rpartition("/")[2]
            try:
                driver = machine.tree.link(f"{function}/driver").rpartition("/")[2]
            except OSError:
                # A function without a driver is nobody's.
                continue
            if driver in _FOR_GUESTS:
                yield f"{address} has the driver {driver}, which hands it to a guest"
            elif machine.tree.exists(f"{function}/net"):
                for nic in machine.tree.names(f"{function}/net"):
                    if _is_up(machine, f"{function}/net/{nic}"):
                        yield f"{nic} ({address}) is up"

    @property
    def _folder(self) -> str:
        return f"sys/bus/pci/devices/{self.address}"

    def __str__(self) -> str:
        return f"{self.kind}:{HOST}:{self.address}"


def _is_up(machine: Machine, folder: str) -> bool:
    flags = read_value(machine, f"{folder}/flags")
    return flags is None or int(flags, 16) & 1 == 1
