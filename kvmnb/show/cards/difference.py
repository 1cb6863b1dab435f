"""What differs between two moments of one machine, or between two machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kvmnb.show import template

MOST_FACTS = 400

Value = str | int | float | bool | None


class Fact(Protocol):
    """One fact that differs."""

    @property
    def fact(self) -> str: ...
    @property
    def before(self) -> Value: ...
    @property
    def after(self) -> Value: ...
    @property
    def seen_before(self) -> bool: ...
    @property
    def seen_after(self) -> bool: ...


class Changed(Protocol):
    """One finding that came, went, or is graver or milder now."""

    @property
    def id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def severity_before(self) -> str | None: ...
    @property
    def severity_after(self) -> str | None: ...


class Found(Protocol):
    """All that differs."""

    @property
    def facts(self) -> Sequence[Fact]: ...
    @property
    def guests_added(self) -> Sequence[str]: ...
    @property
    def guests_removed(self) -> Sequence[str]: ...
    @property
    def findings(self) -> Sequence[Changed]: ...


def fragment(found: Found) -> str:
    """The tables, without the style."""
    facts = [(one.fact, _value(one.before, one.seen_before), _value(one.after, one.seen_after)) for one in found.facts]
    return template.fragment("difference", found=found, facts=facts[:MOST_FACTS], more=len(facts[MOST_FACTS:]))


def _value(value: Value, seen: bool) -> str:
    if not seen:
        return "not there"
    return "none" if value is None else str(value) or "(empty)"
