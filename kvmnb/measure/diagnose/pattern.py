"""What a diagnosis pattern is.

A pattern's file holds one docstring (title and the headings below), one ``PATTERN`` and one function that it
decorates. The function is pure: it judges a window of series and yields what it saw. A series that is missing
raises ``NotSeen``, which no pattern catches: the pattern is then "not checked", with the reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kvmnb.advise.finding import Severity
from kvmnb.advise.threshold import HEURISTIC, Threshold
from kvmnb.core.docs import sections
from kvmnb.measure.diagnose.signals import Signals

HEADINGS = ("What is seen", "What it means", "What answers it", "What would refute it", "Sources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What a pattern saw of the host or of one guest."""

    saw: str
    """What was measured, with units, and against which threshold."""
    part: str = ""
    """Below the host or the guest, such as ``vcpu/3`` or ``disk/vda``."""
    severity: Severity | None = None
    """Where it differs from the pattern's own."""
    culprits: tuple[str, ...] = ()
    """Who causes it, in words, most first."""


HostCheck = Callable[[Signals], Iterator[Sign]]
GuestCheck = Callable[[Signals, str], Iterator[Sign]]


@dataclass(slots=True)
class Pattern:
    """One pattern: its id is ``diag.`` and the name of its file, with a dot for the first underscore."""

    id: str
    severity: Severity
    answers: tuple[str, ...]
    """The ids of the rules that answer it."""
    check_host: HostCheck | None = field(init=False, default=None)
    check_guest: GuestCheck | None = field(init=False, default=None)
    module: str = field(init=False, default="")

    def host(self, check: HostCheck) -> HostCheck:
        """Decorate the function that judges the host."""
        self.check_host, self.module = check, check.__module__
        return check

    def guest(self, check: GuestCheck) -> GuestCheck:
        """Decorate the function that judges one guest, by its UUID."""
        self.check_guest, self.module = check, check.__module__
        return check

    @property
    def text(self) -> tuple[str, dict[str, str]]:
        """The title line and the text below each heading, from the file's docstring."""
        return _text(self.module)

    @property
    def title(self) -> str:
        """The pattern as one sentence without its full stop."""
        return self.text[0].rstrip(".")

    @property
    def thresholds(self) -> tuple[Threshold[Any], ...]:
        """The thresholds that its file declares, by name."""
        declared = (one for one in vars(sys.modules[self.module]).values() if isinstance(one, Threshold))
        return tuple(sorted(declared, key=lambda one: one.name))


def threshold(
    name: str, default: float, unit: str, meaning: str, *, most: float = 1e9, basis: str = HEURISTIC, source: str = ""
) -> Threshold[float]:
    """A number on which a pattern rests; its default is this project's judgement unless a source is named."""
    said = source or "judgement of this project: a starting point"
    return Threshold(
        name=name, default=default, unit=unit, meaning=meaning, least=0.0, most=most, basis=basis, source=said
    )


@cache
def _text(module: str) -> tuple[str, dict[str, str]]:
    return sections(sys.modules[module].__doc__ or "")
