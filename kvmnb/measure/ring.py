"""The last frames of a sampler."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kvmnb.measure.blocks import Blocks
from kvmnb.measure.series import Frame, Series


class Ring:
    """Keeps the newest ``capacity`` frames, their values to seven digits."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._blocks = Blocks(capacity)
        self._gaps: deque[dict[str, str]] = deque(maxlen=capacity)

    def __len__(self) -> int:
        return len(self._blocks)

    def append(self, frame: Frame) -> None:
        """Take a frame; the oldest one falls out."""
        self._blocks.append(frame.at, frame.values)
        gaps = dict(frame.gaps)
        # A gap that goes on for an hour is kept once.
        self._gaps.append(self._gaps[-1] if self._gaps and self._gaps[-1] == gaps else gaps)

    def frames(self, wanted: Callable[[Series], bool], last: int) -> list[Frame]:
        """The newest ``last`` frames, oldest first, with the series that are wanted."""
        moments = self._blocks.moments(wanted, last)
        gaps = list(self._gaps)[len(self._gaps) - len(moments) :]
        return [Frame(at, values, why) for (at, values), why in zip(moments, gaps, strict=True)]
