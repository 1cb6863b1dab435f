"""What tuning is for: a goal, and overlays that hold beside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmnb.core.errors import KvmnbError


class Goal(Enum):
    """What tuning is for; it decides which rules speak."""

    BALANCED = "balanced"
    THROUGHPUT = "throughput"
    LATENCY = "latency"
    DENSITY = "density"


class Overlay(Enum):
    """What holds beside a goal; it makes some rules speak louder and others leave the work to a person."""

    WINDOWS = "windows"
    """The guests run Windows, where nothing says another system."""
    SECURITY = "security"
    """The guests belong to people who do not trust each other."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A goal with its overlays, spelt ``latency+windows``; goal None: the host's holds."""

    goal: Goal | None = None
    overlays: frozenset[Overlay] = frozenset()

    def __str__(self) -> str:
        words = [] if self.goal is None else [self.goal.value]
        return "+".join([*words, *(one.value for one in Overlay if one in self.overlays)])

    def within(self, host: Aim) -> Aim:
        """A guest's aim on a host of this aim: its own goal, else the host's, and the overlays of both."""
        return Aim(self.goal or host.goal or Goal.BALANCED, self.overlays | host.overlays)


def parse_aim(text: str) -> Aim:
    """An aim by its words: at most one goal, and any overlays; KvmnbError that lists them otherwise."""
    words = text.split("+")
    goals = [goal for goal in Goal if goal.value in words]
    overlays = [overlay for overlay in Overlay if overlay.value in words]
    known = {one.value for one in (*goals, *overlays)}
    unknown = next((word for word in words if word not in known), None)
    if unknown is not None:
        raise KvmnbError(
            f"{unknown[:40]!r} is no goal; the goals are {_listed(Goal)}, and {_listed(Overlay)} may stand beside one, "
            "as in latency+windows"
        )
    if len(goals) > 1:
        raise KvmnbError(f"{text[:60]!r} names two goals; give one of them, with overlays ({_listed(Overlay)}) or none")
    if len(words) != len(known):
        raise KvmnbError(f"{text[:60]!r} names the same word twice")
    return Aim(goals[0] if goals else None, frozenset(overlays))


def _listed(words: type[Enum]) -> str:
    return ", ".join(one.value for one in words)
