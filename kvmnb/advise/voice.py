"""How a rule speaks for one goal or overlay, where it differs from the rule's own way, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmnb.advise.finding import Severity


class Tone(Enum):
    """Whether and how a rule speaks."""

    SPEAKS = "speaks"
    """Also where the goal alone would leave it silent."""
    BY_HAND = "by hand"
    """Its wants are a person's to weigh: they are told as commands, and no plan takes them."""
    SILENT = "silent"
    """What it would advise is against what is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One row of the table of goals and overlays in the rules' index."""

    tone: Tone = Tone.SPEAKS
    severity: Severity | None = None
    """In the place of the rule's own; None: as it is."""
    why: str
    """The reason, as half a sentence."""
