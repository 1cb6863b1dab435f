"""A configuration file that belongs to kvmnb alone: a header, and one line for each setting.

It is rendered from its settings, in one order, so that taking a setting back leaves the bytes that were
there before. A file that is not as kvmnb renders it is somebody else's by now, and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kvmnb.core.errors import KvmnbError, WriteFailed
from kvmnb.machine.machine import Machine

HEADER = (
    "# Written by kvmnb, one line for each setting that a plan keeps beyond the next boot.\n"
    "# `kvmnb undo` takes its lines out again, and the file with the last of them. Put your own lines elsewhere.\n"
)


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One such file: where it is, and how a line is spelled and read."""

    path: str
    line: Callable[[str, str], str]
    """The line, without its end, of a setting and its value."""
    setting: Callable[[str], tuple[str, str] | None]
    """The setting and the value of a line; None where it is no such line."""

    def values(self, machine: Machine) -> dict[str, str]:
        """The settings that the file holds; KvmnbError where it cannot be read or was changed by another hand."""
        try:
            text = machine.tree.read_bytes(self.path).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as problem:
            raise KvmnbError(f"reading /{self.path} of {machine.title}: {problem}") from problem
        found = [self.setting(line) for line in text.removeprefix(HEADER).splitlines()]
        values = dict(one for one in found if one is not None)
        if self.render(values) != text:
            raise KvmnbError(
                f"/{self.path} is not as kvmnb writes it: somebody edited it; move the lines that are not kvmnb's to "
                "a file of another name"
            )
        return values

    def render(self, values: Mapping[str, str]) -> str:
        """The whole text of the file."""
        return HEADER + "".join(f"{self.line(key, values[key])}\n" for key in sorted(values))

    def write(self, machine: Machine, key: str, value: str | None, by_hand: str) -> None:
        """Give one setting this value, or take it out (None); the file goes with its last setting."""
        values = self.values(machine)
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value
        try:
            if values:
                machine.tree.put(self.path, self.render(values))
            else:
                machine.tree.remove(self.path)
        except PermissionError as problem:
            raise WriteFailed(f"writing /{self.path} needs root; by hand: {by_hand}") from problem
        except OSError as problem:
            raise WriteFailed(f"writing /{self.path}: {problem.strerror or problem}; by hand: {by_hand}") from problem
