"""How a recording stays small: an hour as it was read, then means of ten seconds, then of a minute, for a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kvmnb.measure.recording import form
from kvmnb.measure.recording.coarser import Rows, coarser, rows_of
from kvmnb.measure.recording.merging import groups, merged
from kvmnb.measure.recording.parts import Folder, Part

PART_SECONDS = 120
"""Readings of so long make one part; a multiple of every stretch."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to parts of one kind when they are old."""

    stretch: int
    """Of which kind: seconds of a stretch, 0 of values as they were read."""
    kept_seconds: int
    """How far back from the newest reading they are kept at least."""
    then: int
    """Into what they are made; 0: they are dropped."""
    together: int
    """How many are made into one."""


STEPS = (
    Step(stretch=0, kept_seconds=3600, then=10, together=5),
    Step(stretch=10, kept_seconds=6 * 3600, then=60, together=6),
    Step(stretch=60, kept_seconds=24 * 3600, then=0, together=1),
)


@dataclass(frozen=True, slots=True)
class Aged:
    """A part and when its last reading was made, in seconds that were recorded."""

    part: Part
    until: float


class Ageing:
    """Knows the parts of a folder, and makes the old ones coarser."""

    def __init__(self, folder: Folder, steps: tuple[Step, ...] = STEPS) -> None:
        self._folder = folder
        self._steps = steps
        self._parts: list[Aged] = []

    def add(self, part: Part, until: float) -> None:
        """Take in a part that was written."""
        self._parts.append(Aged(part, until))

    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order of their time."""
        return tuple(sorted(one.part for one in self._parts))

    def age(self, now: float) -> None:
        """Make coarser what is old as of ``now``, in seconds that were recorded."""
        for step in self._steps:
            old = [
                one for one in self._parts if one.part.stretch == step.stretch and one.until <= now - step.kept_seconds
            ]
            for begin in range(0, len(old) - step.together + 1, step.together):
                self._make(old[begin : begin + step.together], step.then)

    def _make(self, old: list[Aged], stretch: int) -> None:
        if not stretch:
            for one in old:
                self._folder.drop(one.part)
        else:
            part = Part(old[0].part.first, old[-1].part.last, stretch)
            places = [self._folder.place(one.part) for one in old]
            rows = merged([_coarser(place, stretch) for place in places])
            # Two parts share a stretch where the clock was set back.
            tables = (one.table(stretch) for one in groups((coarser(one, stretch) for one in rows), form.GROUP_ROWS))
            form.write(self._folder.new(part), tables, {})
            self._folder.take(part, tuple(one.part for one in old))
        self._parts = [one for one in self._parts if one not in old]
        if stretch:
            self._parts.append(Aged(part, max(one.until for one in old)))


def _coarser(path: Path, stretch: int) -> Iterator[Rows]:
    """The rows of a part in longer stretches."""
    return (coarser(rows_of(table), stretch) for table in tables_of(path))


def tables_of(path: Path) -> Iterator[Any]:
    """The tables of a part or of a whole recording, one for each row group."""
    with form.opened(path) as opened:
        for number in range(opened.num_row_groups):
            yield form.table(opened, number)


def whole(folder: Folder, parts: Iterable[Part], metadata: Mapping[bytes, bytes], name: str) -> None:
    """Write all parts as one file of this name into the folder."""
    tables = (table for part in parts for table in tables_of(folder.place(part)))
    form.write(folder.path / name, tables, metadata)
