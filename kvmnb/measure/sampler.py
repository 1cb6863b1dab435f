"""One thread per machine that reads its source and hands the frames to who subscribed."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.ring import Ring
from kvmnb.measure.series import GUESTS, HOST, Event, Frame, Series, Source

DEFAULT_PERIOD_SECONDS = 1.0
# Below this a period says little: the scheduler accounts a running thread every 1 to 10 ms.
SHORTEST_PERIOD_SECONDS = 0.02
# An hour at 1 Hz; what lies further back a recording keeps.
CAPACITY = 3600

Callback = Callable[[Frame], None]

log = logging.getLogger("kvmnb.measure")


def default_period() -> float:
    """The period in seconds: ``$KVMNB_TICK`` where it is set, else one second."""
    return checked_period(os.environ.get("KVMNB_TICK") or DEFAULT_PERIOD_SECONDS)


def checked_period(period: float | str) -> float:
    """A period in seconds; KvmnbError where it is none that can be kept."""
    try:
        seconds = float(period)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_PERIOD_SECONDS <= seconds <= 3600:
        raise KvmnbError(f"a sampling period of {period!r} s cannot be kept: give {SHORTEST_PERIOD_SECONDS} to 3600 s")
    return seconds


class Subscription:
    """One subscriber of a sampler, until it is closed."""

    def __init__(
        self,
        sampler: Sampler,
        callback: Callback,
        name: str,
        period: float,
        guest: str | None,
        after: Callable[[], None] | None,
    ) -> None:
        self.callback = callback
        self.after = after
        """What is called once when all have got a frame, however many subscribers name it."""
        self.guest = guest
        """Whom the subscriber looks at, by UUID; None: at all alike."""
        self.name = name
        self.period = period
        self.problem: str | None = None
        """What the callback raised last; None while it never did."""
        self._sampler = sampler

    def close(self) -> None:
        """Get no more frames; the last subscriber's close ends the thread and waits for its end."""
        self._sampler._leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Clock(threading.Thread):
    """Calls ``tick`` once a period till it is over; ``wake`` makes it look at both anew."""

    def __init__(self, tick: Callable[[], None], period: Callable[[], float]) -> None:
        super().__init__(name="kvmnb-sampler", daemon=True)
        self.over = False
        self.wake = threading.Event()
        self._tick = tick
        self._period = period

    def run(self) -> None:
        due = time.monotonic()
        while not self.over:
            left = due - time.monotonic()
            if left > 0:
                if self.wake.wait(left):
                    self.wake.clear()
                    due = min(due, time.monotonic() + self._period())
                continue
            self._tick()
            # Counted on from the due time, so that no drift adds up; ticks that were missed are left out.
            period = self._period()
            due += period * max(1, math.ceil((time.monotonic() - due) / period))


class Sampler:
    """Reads a source once a period while somebody is subscribed.

    The period is the shortest that a subscriber asked for, and every subscriber gets every frame.
    Callbacks run on the sampler's thread. One that raises is reported in ``problems`` and stays.
    """

    def __init__(self, source: Source, capacity: int = CAPACITY) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._subscribers: list[Subscription] = []
        self._clear(capacity)
        self._thread: _Clock | None = None
        self._events: list[Event] = []

    @property
    def period(self) -> float:
        """Seconds from one reading to the next."""
        return min((one.period for one in tuple(self._subscribers)), default=default_period())

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._subscribers)

    @property
    def problems(self) -> tuple[str, ...]:
        """What the callbacks of present subscribers raised last."""
        return tuple(f"{one.name}: {one.problem}" for one in tuple(self._subscribers) if one.problem)

    def subscribe(
        self,
        callback: Callback,
        *,
        name: str = "a subscriber",
        period: float | None = None,
        guest: str | None = None,
        after: Callable[[], None] | None = None,
    ) -> Subscription:
        """Have ``callback`` called with every frame, on the sampler's thread; the first one starts it.

        What is read of the guests in turn is read of ``guest`` (a UUID) every second. ``after`` is called when all
        subscribers have got a frame, once for all that name it.
        """
        seconds = default_period() if period is None else checked_period(period)
        one = Subscription(self, callback, name, seconds, guest, after)
        with self._lock:
            self._subscribers.append(one)
            if self._thread is None:
                # What was read before a pause would be joined by a line to what comes after it.
                self._clear(self._ring.capacity)
                self.source.wake()
                self._thread = _Clock(self._tick, lambda: self.period)
                self._thread.start()
            else:
                self._thread.wake.set()
            self._look()
        return one

    def mark(self, event: Event) -> None:
        """Put an event into the next frame."""
        with self._lock:
            self._events.append(event)

    def history(self, wanted: Callable[[Series], bool], last: int) -> list[Frame]:
        """The newest ``last`` frames, oldest first, with the series that are wanted."""
        with self._lock:
            return self._ring.frames(wanted, last)

    def close(self) -> None:
        """Drop all subscribers, end the thread and wait for its end."""
        self._drop(tuple(self._subscribers))

    def _leave(self, one: Subscription) -> None:
        self._drop((one,))

    def _drop(self, leaving: tuple[Subscription, ...]) -> None:
        with self._lock:
            self._subscribers = [one for one in self._subscribers if one not in leaving]
            self._look()
            if self._subscribers or self._thread is None:
                return
            thread, self._thread = self._thread, None
            thread.over = True
            thread.wake.set()
        # A callback may unsubscribe its own subscriber; a thread cannot wait for itself.
        if thread is not threading.current_thread():
            thread.join()
        with self._lock:
            # Somebody may have come meanwhile.
            if self._thread is None:
                self.source.rest()

    def _clear(self, capacity: int) -> None:
        self._ring = Ring(capacity)

    def _look(self) -> None:
        self.source.look_at(frozenset(one.guest for one in self._subscribers if one.guest is not None))

    def _tick(self) -> None:
        self.source.period = self.period
        frame = self._frame()
        if frame is not None:
            self._publish(self._marked(frame))

    def _marked(self, frame: Frame) -> Frame:
        with self._lock:
            events, self._events = tuple(self._events), []
        return replace(frame, events=(*frame.events, *events)) if events else frame

    def _frame(self) -> Frame | None:
        try:
            return self.source.read()
        except Exception as problem:
            # The thread must live on; the reason is shown where the values would be.
            reason = f"the series cannot be read: {type(problem).__name__}: {problem}"
            log.exception("a reading of the series failed")
            return Frame(time.time(), {}, {GUESTS: reason, HOST: reason})

    def _publish(self, frame: Frame) -> None:
        with self._lock:
            self._ring.append(frame)
            subscribers = tuple(self._subscribers)
        for one in subscribers:
            _call(one, partial(one.callback, frame))
        for after, one in {one.after: one for one in subscribers if one.after is not None}.items():
            _call(one, after)


def _call(one: Subscription, callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception as problem:
        told = f"{type(problem).__name__}: {problem}"
        if told != one.problem:
            log.exception("%s, a subscriber of the sampler, failed", one.name)
        one.problem = told
