"""What a rule is.

A rule file holds one docstring (title and the headings below), one ``RULE`` and one function that it
decorates. The function is pure: it judges facts and yields what it saw.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Literal

from kvmnb.advise.aim import Aim, Goal, Overlay
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.advise.voice import Tone, Voice
from kvmnb.core.docs import sections
from kvmnb.facts.domain import Domain

HEADINGS = (
    "What is seen",
    "Why it hurts",
    "What to do",
    "Leave it when",
    "Cost",
    "Look by hand",
    "Measure it",
    "Sources",
)

HostCheck = Callable[[View], Iterator[Seen]]
DomainCheck = Callable[[Domain, View], Iterator[Seen]]

ALL_GOALS = tuple(Goal)


class SeenBy(Enum):
    """By which means a rule can see its pattern."""

    CONFIGURATION = "the configuration and the present state alone"
    WINDOW = "a window of measurement alone; without one it is not checked"
    SURER = "the configuration; a window of measurement makes it surer, graver or less grave"


@dataclass(slots=True)
class Rule:
    """One rule: its catalogue id, how grave its pattern is, and for which goals it speaks.

    ``basis`` says where its thresholds come from: documented, source, tested or heuristic. ``effect`` is what
    following it is expected to bring, and ``effect_basis`` what that expectation rests on.
    """

    headings: ClassVar[tuple[str, ...]] = HEADINGS

    id: str
    severity: Severity
    goals: tuple[Goal, ...]
    basis: str
    asks: tuple[Literal["images", "memory"], ...] = ()
    """What an audit has to ask for apart before it reads it: images of disks, where memory of guests lies."""
    effect: Effect = field(kw_only=True)
    effect_basis: str = field(kw_only=True)
    seen_by: SeenBy = field(kw_only=True, default=SeenBy.CONFIGURATION)
    voices: Mapping[Goal | Overlay, Voice] = field(default_factory=dict)
    """Where it speaks otherwise than the fields above say."""
    scope: Literal["host", "domain"] = field(init=False, default="host")
    check_host: HostCheck | None = field(init=False, default=None)
    check_domain: DomainCheck | None = field(init=False, default=None)
    module: str = field(init=False, default="")

    @property
    def area(self) -> str:
        """The first part of its id: cpu, numa, mem, disk, net, ..."""
        return self.id.partition(".")[0]

    @property
    def thresholds(self) -> tuple[Threshold[Any], ...]:
        """The thresholds that its file declares, by name."""
        declared = (one for one in vars(sys.modules[self.module]).values() if isinstance(one, Threshold))
        own = {one.name: one for one in declared if one.name.startswith(f"{self.id}.")}
        return tuple(own[name] for name in sorted(own))

    def speaks(self, aim: Aim) -> bool:
        """Whether it says anything at all under this aim."""
        tones = [voice.tone for voice in self.heard(aim).values()]
        return Tone.SILENT not in tones and (aim.goal in self.goals or Tone.SPEAKS in tones)

    def heard(self, aim: Aim) -> dict[Goal | Overlay, Voice]:
        """Its voices that count under this aim, the goal's before the overlays'."""
        if not self.voices:
            return {}
        counting: list[Goal | Overlay] = [] if aim.goal is None else [aim.goal]
        counting += [one for one in Overlay if one in aim.overlays]
        return {one: self.voices[one] for one in counting if one in self.voices}

    @property
    def title(self) -> str:
        """The pattern it finds, as one sentence without its full stop."""
        return self.text[0].rstrip(".")

    @property
    def text(self) -> tuple[str, dict[str, str]]:
        """The title line and the text below each heading, from the rule file's docstring."""
        return _text(self.module)

    @property
    def sources(self) -> tuple[str, ...]:
        """The lines below the heading Sources."""
        return tuple(
            line.strip().removeprefix("* ") for line in self.text[1].get("Sources", "").splitlines() if line.strip()
        )

    def host(self, check: HostCheck) -> HostCheck:
        """Decorate the function that judges the host."""
        self.scope, self.check_host, self.module = "host", check, check.__module__
        return check

    def domain(self, check: DomainCheck) -> DomainCheck:
        """Decorate the function that judges one domain."""
        self.scope, self.check_domain, self.module = "domain", check, check.__module__
        return check


@cache
def _text(module: str) -> tuple[str, dict[str, str]]:
    return sections(sys.modules[module].__doc__ or "")
