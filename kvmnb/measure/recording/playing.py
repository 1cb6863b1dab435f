"""A recording as a source of series like the live one, and as a machine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from kvmnb.machine.machine import Machine
from kvmnb.machine.named_guests import WHY, NamedGuests
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics.vcpu import VCPU_RUN
from kvmnb.measure.recording.frames import bounds, frames
from kvmnb.measure.recording.reading import Stored, opened
from kvmnb.measure.replay import Replay
from kvmnb.measure.series import GUESTS, Frame, Series

# What stands in a page without a kernel, and what tells which parts there are, is of so many frames.
MOST_SHOWN = 300


class Playing(Replay):
    """Plays the newest hour of a recording, as it was read and at the times at which it was, and then ends."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.title_note = note_of(stored)
        self.absent = "the recording does not hold this guest"
        self.period = self.period_seconds = TICK
        self._frames: Iterator[Frame] | None = None
        self._last: Frame | None = None
        self._shown: tuple[Mapping[Series, float], ...] | None = None

    @property
    def rows(self) -> int:
        """How many readings ``recorded`` tells."""
        return len(self.recorded())

    def recorded(self) -> tuple[Mapping[Series, float], ...]:
        """The first readings that are played, some minutes of them."""
        if self._shown is None:
            self._shown = tuple(one.values for one in islice(newest(self.stored), MOST_SHOWN))
        return self._shown

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """The vCPUs that were recorded of a guest."""
        found = {
            one.part for row in self.recorded() for one in row if (one.metric, one.guest) == (VCPU_RUN.name, guest)
        }
        return tuple(sorted(part for part in found if isinstance(part, int)))

    def read(self) -> Frame | None:
        """The next reading; after the last one a gap, and then nothing."""
        if self.over:
            return None
        if self._frames is None:
            self._frames = newest(self.stored)
        frame = next(self._frames, None)
        if frame is not None:
            self._last = frame
            return frame
        self.over = True
        last = self._last or Frame(time.time(), {})
        return Frame(last.at + last.period, {}, {GUESTS: "the recording ends here"}, last.period)


def newest(stored: Stored, seconds: float | None = None) -> Iterator[Frame]:
    """The frames of the last ``seconds``; without them, all that are kept as they were read."""
    _, ends = bounds(stored)
    # A frame's rates reach back over a period before it.
    since = stored.fine_since if seconds is None else ends - seconds + TICK / 2
    return frames(stored, since)


def note_of(stored: Stored) -> str:
    """Where and when a recording was made, for a title."""
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(stored.cover.began_at))
    early = f"; it ends early: {stored.early}" if stored.early else ""
    return f"{stored.cover.note}, {began}, replayed{early}"


def machine_of(path: Path) -> Machine:
    """A recording of series as a machine: guests by name, and gaps for all that was not measured."""
    stored = opened(path)
    return Machine(
        "recorded",
        note_of(stored),
        str(path),
        NamedGuests(str(path), stored.cover.guests),
        None,
        WHY,
        series=path,
    )
