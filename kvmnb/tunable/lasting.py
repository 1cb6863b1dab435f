"""What the lasting forms of host settings have in common: one line of a file that belongs to kvmnb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from kvmnb.machine.machine import Machine
from kvmnb.tunable.own_file import OwnFile
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.target import HOST, only_host
from kvmnb.tunable.tunable import Undo, Verdict, Want, When, compared


@dataclass(frozen=True, slots=True)
class Lasting:
    """One setting as one line, in force from the next boot on; its undo is exact.

    A kind names its ``file`` and says by ``check`` what its values may be.
    """

    kind: ClassVar[str]
    lasts: ClassVar[bool] = True
    file: ClassVar[OwnFile]
    taken: ClassVar[str]
    """When the file is read, as the end of a sentence."""

    path: str

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Self:
        only_host(target, cls.kind)
        return cls(path)

    @property
    def target(self) -> str:
        return HOST

    @property
    def when(self) -> When:
        return When.HOST_BOOT

    @property
    def undo(self) -> Undo:
        return Undo.EXACT

    def check(self, value: str | None) -> None:
        """Raise Refused where a value of this form is never written."""
        raise NotImplementedError

    def read(self, machine: Machine) -> str | None:
        """The value in kvmnb's own file; None where it holds none."""
        return self.file.values(machine).get(self.path)

    def write(self, machine: Machine, value: str | None) -> None:
        """Write the line, or take it out, in one replacement of the file."""
        self.check(value)
        self.file.write(machine, self.path, value, self.command(value))

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """By the file alone: whether its reader takes it shows at the next boot."""
        return compared(self.read(machine), value, f"read from /{self.file.path}, {self.taken}")

    def command(self, value: str | None) -> str:
        """The line, appended by hand to a file beside kvmnb's own, which takes no line of another hand."""
        if value is None:
            return f"sudoedit /{self.file.path}  # take out the line of {self.path}"
        stem, dot, ending = self.file.path.rpartition(".")
        return f"echo {shell_word(self.file.line(self.path, value))} | sudo tee -a /{stem}-by-hand{dot}{ending}"

    def lasting(self, value: str | None) -> Want | None:
        return None

    def __str__(self) -> str:
        return f"{self.kind}:{HOST}:{self.path}"
