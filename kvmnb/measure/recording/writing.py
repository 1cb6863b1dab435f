"""Writes frames into a recording, one after the other, in the thread that calls."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kvmnb.core import codec
from kvmnb.core.errors import Refused, SourceError
from kvmnb.measure.metric import TICK
from kvmnb.measure.recording import form
from kvmnb.measure.recording.ageing import PART_SECONDS, Ageing, whole
from kvmnb.measure.recording.cover import Below, Cover, metadata, metrics_told
from kvmnb.measure.recording.kinds import ENDING, folder_of
from kvmnb.measure.recording.marking import Marking
from kvmnb.measure.recording.parts import WHOLE, Folder, Part, is_made_now, remove
from kvmnb.measure.recording.rows import Ticks
from kvmnb.measure.series import Event, Frame

FLUSH_SECONDS = 10.0
"""What a killed recorder loses, at most."""
LEAST_FREE_BYTES = 64 * 1024**2
"""A recorder that finds less stops, and leaves the rest to the host."""

HOW = "(`--replace`, in Python `replace=True`)"


class Writing:
    """A recording that is being made. Methods raise OSError where the disk does not take it."""

    def __init__(self, target: Path, cover: Cover, *, instead: bool) -> None:
        """Begin a recording at ``target``; ``instead`` of one that stands there already. Refused or SourceError."""
        self.target = target
        self._cover = cover
        self._instead = instead
        self.rows_until: float | None = None
        """When the newest frame on disk was read; None while there is none."""
        make_room(target, instead=instead)
        try:
            self._folder = Folder(folder_of(target))
        except OSError as problem:
            raise SourceError(f"no recording can be made at {target}: {problem.strerror}") from problem
        self._ageing = Ageing(self._folder)
        self._ticks = Ticks()
        self._marking = Marking()
        self._names = dict(cover.guests)
        self._below = {(one.guest, one.disk): one for one in cover.below}
        self._seen: set[str] = set()
        self._metrics: set[str] = set()
        self._piece = self._first = 0
        self._flushed = 0
        self._begun: float | None = None
        self._flushed_at: float | None = None
        self._newest: float | None = None
        """When the newest frame was read."""
        self._age = 0.0
        """Seconds that were recorded."""
        self._put_cover()

    def know(self, names: Mapping[str, str], below: Iterable[Below]) -> None:
        """Names of guests, by UUID, and the devices below their disks, as they are known now."""
        self._names.update(names)
        self._below.update({(one.guest, one.disk): one for one in below})

    def add(self, frame: Frame) -> None:
        """Take a frame; now and then, put what came onto the disk."""
        if self._begun is not None and frame.at // PART_SECONDS != self._begun // PART_SECONDS:
            self._close_part()
        # By what was meant: the clock may be set, and the host may sleep.
        self._age += frame.period or TICK
        if self._begun is None:
            self._begun = frame.at
        if self._flushed_at is None:
            self._flushed_at = frame.at
        self._ticks.add(frame)
        self._marking.add(frame)
        self._seen.update(series.guest for series in frame.values)
        self._seen.update(key.rpartition(":")[2] for key in frame.gaps)
        self._seen.update(event.guest for event in frame.events)
        self._newest = frame.at
        if abs(frame.at - self._flushed_at) >= FLUSH_SECONDS:
            self.flush()

    def note(self, text: str) -> None:
        """Mark the newest frame with a sentence; nothing where there is none."""
        if self._newest is not None:
            self._marking.note(Event(self._newest, "note", "", text))

    def flush(self) -> None:
        """Put what came since the last flush onto the disk."""
        if len(self._ticks) == self._flushed:
            return
        self._leave_room()
        part = Part(self._piece, self._piece, 0)
        form.write(self._folder.new(part), self._ticks.tables(self._names, self._flushed), {})
        self._folder.take(part)
        self._piece += 1
        self._flushed = len(self._ticks)
        self.rows_until = self._flushed_at = self._newest
        self._put_cover()

    def close(self, end: str) -> None:
        """Make one file of all parts at the target."""
        self.flush()
        self._close_part()
        cover = self._told(end)
        self._folder.write_cover(codec.to_json(cover))
        self._leave_room(sum(self._folder.place(one).stat().st_size for one in self._ageing.parts()))
        whole(self._folder, self._ageing.parts(), metadata(cover), WHOLE)
        form.settle(self._folder.path / WHOLE)
        if not self._instead and self.target.exists():
            raise FileExistsError(errno.EEXIST, "a file of this name came meanwhile")
        os.replace(self._folder.path / WHOLE, self.target)
        self._folder.remove()

    def abandon(self, end: str) -> None:
        """Leave the parts as they are, with why they end, and let go of them."""
        with suppress(OSError):
            self._folder.write_cover(codec.to_json(self._told(end)))
        self._folder.release()

    def _close_part(self) -> None:
        """Make one sorted part of the pieces that were flushed."""
        self.flush()
        self._begun = None
        if not self._flushed:
            return
        part = Part(self._first, self._piece - 1, 0)
        pieces = tuple(Part(number, number, 0) for number in range(self._first, self._piece))
        if len(pieces) > 1:
            form.write(self._folder.new(part), self._ticks.tables(self._names), {})
            self._folder.take(part, pieces)
        self._metrics |= {one.metric for one in self._ticks.series()}
        self._ticks, self._flushed, self._first = Ticks(), 0, self._piece
        self._ageing.add(part, self._age)
        self._ageing.age(self._age)

    def _leave_room(self, wanted: int = 0) -> None:
        free = shutil.disk_usage(self._folder.path).free
        if free - wanted < LEAST_FREE_BYTES:
            raise OSError(errno.ENOSPC, f"only {free // 1024**2} MiB are free on its disk")

    def _put_cover(self) -> None:
        self._folder.write_cover(codec.to_json(self._told(None)))

    def _told(self, end: str | None) -> Cover:
        present = {one.metric for one in self._ticks.series()}
        return replace(
            self._cover,
            guests={uuid: name for uuid, name in self._names.items() if uuid in self._seen},
            below=tuple(one for one in self._below.values() if one.guest in self._seen),
            marks=self._marking.marks,
            left_out=self._marking.left_out,
            metrics=metrics_told(self._metrics | present),
            end=end,
        )


def make_room(target: Path, *, instead: bool) -> None:
    """See that nothing stands where a recording is to be made; with ``instead`` an old recording may, and goes.

    Refused where something else stands there, or a recording that nobody said may go.
    """
    from kvmnb.measure.recording.reading import is_ours

    parts = folder_of(target)
    if parts.exists():
        if is_made_now(parts):
            raise Refused(f"{target} is being recorded by another kvmnb right now; give another name")
        if not instead:
            raise Refused(
                f"{parts} holds a recording that ended early; it can still be replayed as {target}. Give another name, "
                f"or have it replaced {HOW}"
            )
        remove(parts)
    if target.exists() or target.is_symlink():
        if not instead:
            raise Refused(f"{target} exists; give another name, or have it replaced {HOW}")
        if not is_ours(target):
            raise Refused(f"{target} is no recording of series of kvmnb, so it is not replaced; give another name")
    if target.name.endswith(ENDING) or not target.name:
        raise Refused(f"{target} is no name for a recording: it is that of the folder beside one; give another")
