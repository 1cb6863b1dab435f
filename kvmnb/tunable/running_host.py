"""What all settings of the running host have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kvmnb.tunable.target import HOST
from kvmnb.tunable.tunable import Undo, Want, When


@dataclass(frozen=True, slots=True)
class RunningHost:
    """A setting that the kernel forgets at the next boot, in force as soon as it is written."""

    lasts: ClassVar[bool] = False

    @property
    def target(self) -> str:
        return HOST

    @property
    def when(self) -> When:
        return When.NOW

    @property
    def undo(self) -> Undo:
        return Undo.EXACT

    def lasting(self, value: str | None) -> Want | None:
        return None
