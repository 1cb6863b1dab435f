"""Listens to a sampler and writes what it brings, on a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.recording.cover import Below, Cover
from kvmnb.measure.recording.kinds import folder_of
from kvmnb.measure.recording.writing import FLUSH_SECONDS, Writing
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Event, Frame

# What waits for a slow disk: a frame of 100 guests takes some 0.7 MB.
MOST_WAITING = 60
NOT_KEPT = "are not recorded: the disk did not keep up"
# Facts are asked anew where a guest is not known, and not more often than this.
ASK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Known:
    """What facts tell of the guests that are recorded."""

    names: dict[str, str] = field(default_factory=dict)
    """By UUID."""
    below: tuple[Below, ...] = ()


log = logging.getLogger("kvmnb.measure")


class Recorder:
    """A recording that goes on until ``stop``, beside whoever else listens to the sampler.

    Where the disk does not take it, it stops by itself, says so in ``problem`` and as a note on the time axis, and
    the sampler goes on.
    """

    def __init__(
        self,
        sampler: Sampler,
        target: Path,
        cover: Cover,
        *,
        known: Callable[[], Known] = Known,
        period: float | None = None,
        instead: bool = False,
    ) -> None:
        """Begin. Refused where something stands at ``target`` that may not be replaced."""
        self.target = target
        self.problem: str | None = None
        """Why it stopped by itself; None while it did not."""
        self.frames = 0
        """How many were written."""
        self._sampler = sampler
        self._ask = known
        self._asked_at = float("-inf")
        self._known: set[str] = set(cover.guests)
        self._left_out = 0
        self._running = True
        self._lock = threading.Lock()
        self._waiting: queue.Queue[Frame | None] = queue.Queue(MOST_WAITING)
        self._writing = Writing(target, cover, instead=instead)
        self._thread = threading.Thread(target=self._run, name="kvmnb-recorder", daemon=True)
        self._thread.start()
        self._subscription = sampler.subscribe(self._take, name=f"the recording {target}", period=period)

    @property
    def running(self) -> bool:
        """Whether it records."""
        return self._running

    def stop(self) -> Path:
        """Write the one file and return where it is; a second call does nothing more. KvmnbError where it failed."""
        with self._lock:
            if self._running:
                self._running = False
                self._subscription.close()
                self._end()
        if self.problem is not None:
            raise KvmnbError(self.problem)
        return self.target

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        if self.problem is not None:
            return f"<{self.problem}>"
        seen = f"{self.frames} readings"
        return f"<records to {self.target}: {seen}>" if self.running else f"<recorded {self.target}: {seen}>"

    def _end(self) -> None:
        """Have the thread close the recording, and wait for that; it may give up meanwhile."""
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._waiting.put(None, timeout=0.1)
                self._thread.join()

    def _take(self, frame: Frame) -> None:
        """A tick, on the sampler's thread, which never waits for a disk."""
        if self._left_out:
            why = Event(frame.at, "note", "", f"{self._left_out} readings before this one {NOT_KEPT}")
            frame = replace(frame, events=(*frame.events, why))
        try:
            self._waiting.put_nowait(frame)
            self._left_out = 0
        except queue.Full:
            self._left_out += 1

    def _run(self) -> None:
        try:
            while True:
                try:
                    frame = self._waiting.get(timeout=FLUSH_SECONDS)
                except queue.Empty:
                    self._writing.flush()
                    continue
                if frame is None:
                    if self._left_out:
                        self._writing.note(f"{self._left_out} readings after this one {NOT_KEPT}")
                    self._writing.close(f"stopped at {_clock(time.time())}")
                    return
                self._ask_who(frame)
                self._writing.add(frame)
                self.frames += 1
        except Exception as problem:
            self._give_up(problem)

    def _ask_who(self, frame: Frame) -> None:
        """Ask who a guest is that was not seen before."""
        now = time.monotonic()
        if now - self._asked_at < ASK_SECONDS:
            return
        new = {series.guest for series in frame.values} - self._known - {""}
        if new:
            self._asked_at = now
            self._known |= new
            try:
                told = self._ask()
            except KvmnbError as problem:
                log.warning("the names of guests that are recorded cannot be read: %s", problem)
                return
            self._writing.know(told.names, told.below)

    def _give_up(self, problem: Exception) -> None:
        told = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        until = self._writing.rows_until
        kept = f"what was recorded until {_clock(until)} is in {folder_of(self.target)}" if until else "nothing is kept"
        self.problem = f"the recording {self.target} stopped: {told}; {kept}"
        log.exception("a recording of series stopped")
        self._writing.abandon(f"stopped by itself: {told}")
        self._sampler.mark(Event(time.time(), "note", "", self.problem))
        if self._running:
            self._running = False
            self._subscription.close()


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
