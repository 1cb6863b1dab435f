"""What one line of a journal says."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from kvmnb.core import codec
from kvmnb.core.xml import Reversal
from kvmnb.tunable.tunable import Undo

SCHEMA = "kvmnb.journal/1"

Deed = Literal[
    "open", "write", "landed", "written", "failed",
    "wait", "confirmed", "resume",
    "undo", "take_back", "taken_back", "kept", "end",
]  # fmt: skip
"""In the order of a plan's life.

``write`` and ``take_back`` announce; ``landed`` tells what else a define changed, ``written``, ``taken_back`` and
``kept`` (left alone, and why) what came of it. ``failed`` and ``undo`` turn the plan around; after ``wait`` only
``confirmed`` lets it go on.
"""


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tunable's value before and after a step."""

    tunable: str
    before: str | None
    after: str | None


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is written at once: all XML changes of one domain, or one other tunable.

    ``lasting`` steps outlive the next boot; they come after all others. ``undo`` says how each value is taken back.
    """

    values: tuple[Value, ...]
    undo: tuple[Undo, ...]
    lasting: bool = False
    rooted: bool = False
    """Whether kvmnb-root writes it for this user: then a step is all of the plan's host settings of its kind."""


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the journal is about: the plan with its steps, the machine, and the boot it was applied in."""

    schema: str
    plan: str
    kvmnb: str
    uri: str
    host_uuid: str | None
    machine: str
    origin: str
    boot_id: str | None
    domains: dict[str, str]
    steps: tuple[Step, ...]
    confirm_within: int | None = None
    """The seconds within which the plan had to be confirmed; None where it had no guard."""
    owner: int | None = None
    """The user for whom kvmnb-root applied it; None for the user whose journal it is."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of a journal.

    ``beside`` holds the values of neighbours that the kernel resets when this step is written; ``xml`` the domain's
    text before its define; ``reversal`` what takes an edit back, or what is left of it.
    """

    deed: Deed
    at: str
    previous: str
    opening: Opening | None = None
    step: int | None = None
    values: tuple[Value, ...] = ()
    beside: tuple[Value, ...] = ()
    reversal: Reversal | None = None
    xml: str | None = None
    word: str | None = None
    hash: str = ""


def hash_of(record: Record) -> str:
    """The SHA-256 of a record's text, its own hash left out."""
    return hashlib.sha256(codec.to_json(msgspec.structs.replace(record, hash="")).encode()).hexdigest()
