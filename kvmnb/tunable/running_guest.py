"""What all settings of a running guest have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kvmnb.machine.machine import Machine
from kvmnb.tunable.tunable import State, Verdict, Want, When


@dataclass(frozen=True, slots=True)
class RunningGuest:
    """A setting that is gone with the guest's process: its next start reads the persistent XML."""

    lasts: ClassVar[bool] = False

    domain: str
    uuid: str

    @property
    def target(self) -> str:
        return self.domain

    @property
    def when(self) -> When:
        return When.NOW

    @property
    def rank(self) -> int:
        """Its place among the live settings of one plan, smallest first."""
        return 0

    def lasting(self, value: str | None) -> Want | None:
        return None

    def runs(self, machine: Machine) -> bool:
        """Whether the guest runs now."""
        return any(record.uuid == self.uuid and record.running for record in machine.libvirt.domains())


def stopped(expected: str | None) -> Verdict:
    """The verdict on a setting of a guest that does not run."""
    return Verdict(State.NOT_APPLICABLE, None, expected, "the guest does not run")
