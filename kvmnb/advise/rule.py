"""What a rule is.

A rule file holds one docstring (title and the headings below), one ``RULE`` and one function that it
decorates. The function is pure: it judges facts and yields what it saw.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import ClassVar, Literal

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.view import View
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
    scope: Literal["host", "domain"] = field(init=False, default="host")
    check_host: HostCheck | None = field(init=False, default=None)
    check_domain: DomainCheck | None = field(init=False, default=None)
    module: str = field(init=False, default="")

    @property
    def area(self) -> str:
        """The first part of its id: cpu, numa, mem, disk, net, ..."""
        return self.id.partition(".")[0]

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
