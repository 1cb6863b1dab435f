"""One line of a card: what, its value in words, and where it was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kvmnb.show import words


@dataclass(frozen=True, slots=True)
class Row:
    """A label, a text and the text's source."""

    label: str
    text: str
    source: str


def row(label: str, read: Callable[[], str], source: str) -> Row:
    """A row whose text is made of facts; where these were not seen, it says why."""
    return Row(label, words.or_gap(read), source)
