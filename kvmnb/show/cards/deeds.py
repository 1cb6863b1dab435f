"""Journals in a document: what was done, told without the buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kvmnb.show import template
from kvmnb.show.cards.journal import Written


class Told(Protocol):
    """What is needed of a journal."""

    @property
    def id(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def on(self) -> str: ...
    @property
    def standing(self) -> int: ...
    @property
    def rows(self) -> tuple[Written, ...]: ...


def fragment(journals: Sequence[Told]) -> str:
    """All of them, without the style."""
    return template.fragment("deeds", journals=journals)
