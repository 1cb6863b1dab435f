"""What is too dear for the tick, read on a thread of its own: where guests' memory lies, and the interrupts."""

from __future__ import annotations

import threading
import time

from kvmnb.machine.files import Files
from kvmnb.measure.collect.census import Census
from kvmnb.measure.collect.collector import MOST_SHARE, Batch, Clocked
from kvmnb.measure.collect.guest_memory import NodeMemory
from kvmnb.measure.collect.interrupts import Interrupts

LOOK_SECONDS = 1.0


class Aside:
    """Reads the memory's place of one guest after the other, each at most once in its period."""

    def __init__(self, files: Files, census: Census) -> None:
        self._memory = NodeMemory(files)
        self._interrupts = Clocked(Interrupts(files))
        self._census = census
        self._batch = Batch()
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(target=self._run, name="kvmnb-aside", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for its end."""
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None

    def drain(self, into: Batch) -> None:
        """Hand over what was read since the last call."""
        with self._lock:
            batch, self._batch = self._batch, Batch()
        into.values.update(batch.values)
        into.periods.update(batch.periods)
        into.gaps.update({key: why for key, why in batch.gaps.items() if key not in into.gaps})

    def _run(self) -> None:
        rest = 0.0
        while not self._over.wait(max(rest, LOOK_SECONDS)):
            began = time.monotonic()
            found = Batch()
            self._interrupts.read(found, 0.0)
            self._next_memory(found)
            rest = (time.monotonic() - began) * (1 / MOST_SHARE - 1)
            with self._lock:
                self._batch.values.update(found.values)
                self._batch.periods.update(found.periods)
                self._batch.gaps.update(found.gaps)

    def _next_memory(self, into: Batch) -> None:
        """The guest that was not looked at for the longest time, if its turn has come."""
        now = time.monotonic()
        guests = self._census.known()
        self._due = {uuid: self._due.get(uuid, 0.0) for uuid in guests}
        uuid = min(self._due, key=lambda one: self._due[one], default=None)
        if uuid is None or self._due[uuid] > now:
            return
        since = self._due[uuid] - self._memory.period
        try:
            levels = {one.series: one.value for one in self._memory.of(uuid, guests[uuid].process.pid)}
        except (OSError, ValueError):
            # The guest has ended, or this user may not look: then the series is absent.
            levels = {}
        into.values.update(levels)
        into.periods.update(dict.fromkeys(levels, now - since if since > 0 else self._memory.period))
        self._due[uuid] = now + self._memory.period
