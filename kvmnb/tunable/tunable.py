"""What a tunable is, and an intent to turn one.

A kind reads, writes, verifies and spells its settings; preview, drift and undo all follow from that.
There is no flag for a dry run anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol, Self

from kvmnb.machine.machine import Machine


class When(Enum):
    """When a written value takes effect."""

    NOW = "now"
    GUEST_START = "guest_start"
    HOST_BOOT = "host_boot"


class Undo(Enum):
    """How a write can be taken back."""

    EXACT = "exact"
    EQUAL_IN_EFFECT = "equal in effect"
    NEEDS_GUEST = "needs the guest's help"
    NEEDS_GUEST_STOPPED = "needs the guest stopped"
    LOSSY = "lossy"
    NONE = "none"


class State(Enum):
    """The three answers of a verification."""

    HOLDS = "holds"
    DIFFERS = "differs"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a setting is in force, read on the layer where it works.

    ``found`` and ``expected`` are values as the tunable spells them; ``reason`` is a sentence part
    that says where it was read, or why it could not be.
    """

    state: State
    found: str | None
    expected: str | None
    reason: str


def compared(found: str | None, expected: str | None, reason: str) -> Verdict:
    """Holds or differs, by a value that was found."""
    return Verdict(State.HOLDS if found == expected else State.DIFFERS, found, expected, reason)


class Tunable(Protocol):
    """One setting of one machine. Values are text; None is absent."""

    kind: ClassVar[str]
    lasts: ClassVar[bool]
    """Whether its value outlives the host's next boot; such are written last, and only once confirmed."""

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Self:
        """From the parts of its text; ``domains`` tells the UUID of each domain's name. Refused where it is none."""
        ...

    @property
    def target(self) -> str:
        """A domain's name, or ``host``."""
        ...

    @property
    def when(self) -> When:
        """When a written value takes effect."""
        ...

    @property
    def undo(self) -> Undo:
        """How a write is taken back."""
        ...

    def check(self, value: str | None) -> None:
        """Raise Refused where a value of this form is never written; nothing is read."""
        ...

    def read(self, machine: Machine) -> str | None:
        """The present value; KvmnbError where it cannot be read."""
        ...

    def write(self, machine: Machine, value: str | None) -> None:
        """Write the value; KvmnbError, with the kernel's or libvirt's word, where it is not taken."""
        ...

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """Whether the value is in force, on the layer where it works."""
        ...

    def command(self, value: str | None) -> str:
        """What an operator would type to the same end; text to read, never run."""
        ...

    def lasting(self, value: str | None) -> Want | None:
        """The lasting form of a live host setting, and its value; None where it has none, or is one itself."""
        ...

    def __str__(self) -> str:
        """``kind:target:path``; the inverse of ``tunable.names.parse``."""
        ...


@dataclass(frozen=True, slots=True)
class Want:
    """An intent: this tunable should have this value (None: absent)."""

    tunable: Tunable
    value: str | None
