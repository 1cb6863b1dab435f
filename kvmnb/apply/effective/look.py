"""What an effective layer is read from: a guest's QEMU process, and its live XML to find its way by."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.xml import Document, Element, Path
from kvmnb.machine.arguments import Option, options
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.files import Files
from kvmnb.machine.processes import Qemu


@dataclass(frozen=True, slots=True)
class Seen:
    """A value as it is in force, in the tunable's spelling, and where it was read; ``why`` it was not, if not."""

    value: str | None
    where: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One running guest, looked at once."""

    files: Files
    process: Qemu
    live: Document

    def element(self, path: str) -> Element | None:
        """An element of the live XML; None where it is absent."""
        found: Element = self.live.root
        for step in Path.parse(path).steps:
            child = DOMAIN.find(found, step)
            if child is None:
                return None
            found = child
        return found

    def alias(self, path: str) -> str | None:
        """The name that QEMU knows a device by."""
        element = self.element(f"{path}/alias")
        return None if element is None else element.get("name")

    def options(self, name: str) -> tuple[Option, ...]:
        """The values of one option of its command line."""
        return tuple(options(self.process.arguments, name))

    def device(self, path: str) -> Option | None:
        """The ``-device`` of a device of the live XML; None for one that was plugged in later, or is none of QEMU's."""
        alias = self.alias(path)
        return next((one for one in self.options("-device") if alias and one.get("id") == alias), None)

    @property
    def arguments(self) -> str:
        """Where its command line stands, in words."""
        return f"/proc/{self.process.pid}/cmdline"


def word(option: Option, key: str, absent: str | None = None) -> str | None:
    """One value of an option, as text."""
    found = option.get(key)
    return absent if found is None else str(found)
