"""What a verb answers where there is nothing to show: a sentence instead of an error."""

from __future__ import annotations


class Nothing:
    """A sentence that stands where a card or a chart would; a cell that waits for the chart goes on at once."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    async def wait(self, ticks: int = 1) -> int:
        """Return 0 at once: there is nothing to wait for."""
        return 0

    def table(self) -> Nothing:
        """The sentence again, where a chart would give its numbers."""
        return self

    def __repr__(self) -> str:
        return self.sentence
