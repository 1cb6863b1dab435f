"""How a caller hears which step is under way: its number, how many there are, and its words."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int, str], None]


def silent(step: int, steps: int, word: str) -> None:
    """A progress that tells nobody."""
