"""libvirt's counters of all guests, asked for in turn, apart from the sampler's clock.

Each question is of one guest. A QEMU that does not answer its monitor keeps one lane busy and nobody else waiting:
its guest leaves the round until the call ends. So that the daemon's work stays small, a question is followed by a
rest in proportion to the time it took; guests that somebody looks at are asked every second besides.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kvmnb.core.errors import DomainGone, NotAnswered
from kvmnb.measure.bulk import GROUPS_AWAY, GROUPS_HERE, readings
from kvmnb.measure.collect.collector import Batch
from kvmnb.measure.lane import Answer, Asked, Lane
from kvmnb.measure.metric import SLOW, TICK
from kvmnb.measure.series import LIBVIRT, Count, Event, Level, Rates, Series, by_libvirt

# The daemon's share of one core, at most: the time of a call is more than what the daemon works for it.
DAEMON_SHARE = 0.02
# A guest that has not answered by then leaves the round.
DEADLINE_SECONDS = 3.0
# Each call that hangs takes one of the daemon's workers, of which it has 20 by default, from everybody.
MOST_HANGING = 3
BACK_OFF_SECONDS = (2.0, 60.0)
LIST_SECONDS = 5.0
LISTING = ""


@dataclass(slots=True)
class _Guest:
    name: str
    due: float = 0.0
    back_off: float = BACK_OFF_SECONDS[0]
    gap: str | None = None
    rates: Rates = field(default_factory=Rates)
    read_at: float | None = None

    def forget(self) -> None:
        """Begin anew, so that no rate spans a gap."""
        self.rates, self.read_at = Rates(), None

    def put_off(self, now: float, why: str) -> None:
        """Try again later, and each time later still."""
        self.gap = why
        self.due = now + self.back_off
        self.back_off = min(2 * self.back_off, BACK_OFF_SECONDS[1])


class Rounds:
    """Asks of one guest after the other while it is started; ``drain`` hands over what came."""

    def __init__(self, connect: Callable[[], Asked], *, away: bool) -> None:
        self._connect = connect
        self._away = away
        self._groups = GROUPS_AWAY if away else GROUPS_HERE
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._looked_at: frozenset[str] = frozenset()
        self._reset()

    def _reset(self) -> None:
        self._lanes: list[Lane] = []
        self._guests: dict[str, _Guest] = {}
        self._batch = Batch()
        self._events: list[Event] = []
        self._lost: str | None = None
        self._lost_back_off = BACK_OFF_SECONDS[0]
        self._list_due = 0.0
        self._listed = False
        self._free_at = 0.0

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._reset()
            self._over.clear()
            self._thread = threading.Thread(target=self._run, name="kvmnb-rounds", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; a lane whose call hangs ends with the call."""
        if self._thread is not None:
            self._over.set()
            self._answers.put(None)
            self._thread.join()
            self._thread = None
            self._answers = queue.SimpleQueue()

    def look_at(self, guests: frozenset[str]) -> None:
        """Ask of these guests every second."""
        self._looked_at = guests
        self._answers.put(None)

    def drain(self, into: Batch) -> tuple[Event, ...]:
        """Hand over what came since the last call, and why nothing comes from whom."""
        with self._lock:
            batch, self._batch = self._batch, Batch()
            events, self._events = tuple(self._events), []
            gaps = {by_libvirt(uuid): one.gap for uuid, one in self._guests.items() if one.gap}
            if self._lost:
                gaps[LIBVIRT] = self._lost
        into.values.update(batch.values)
        into.periods.update(batch.periods)
        into.gaps.update(gaps)
        return events

    def _run(self) -> None:
        while not self._over.is_set():
            answer: Answer | None = None
            try:
                answer = self._answers.get(timeout=self._wait())
            except queue.Empty:
                answer = None
            with self._lock:
                if answer is not None:
                    self._take(answer)
                self._give_up()
                self._ask()
        for lane in self._lanes:
            lane.end()

    def _wait(self) -> float:
        """Seconds until there may be something to do."""
        now = time.monotonic()
        dues = [self._list_due, *(max(one.due, self._rest(uuid)) for uuid, one in self._guests.items())]
        dues += [lane.asked_at + DEADLINE_SECONDS for lane in self._lanes if lane.subject is not None and not lane.late]
        return min(max(min(dues) - now, 0.01), 1.0)

    def _rest(self, uuid: str) -> float:
        return 0.0 if uuid in self._looked_at else self._free_at

    def _take(self, answer: Answer) -> None:
        subject, late = answer.lane.subject, answer.lane.late
        assert subject is not None, "a lane that answers was asked"
        answer.lane.subject = None
        if not late:
            # Of a late call the daemon only waited.
            self._free_at = max(self._free_at, answer.at) + answer.took * (1 / DAEMON_SHARE - 1)
        told = answer.told
        if isinstance(told, DomainGone):
            self._guests.pop(subject, None)
            self._list_due = 0.0
        elif isinstance(told, NotAnswered):
            if subject in self._guests:
                self._guests[subject].forget()
                self._guests[subject].put_off(answer.at, str(told))
        elif isinstance(told, Exception):
            self._lose(str(told), answer.at)
        elif subject == LISTING:
            self._list(told, answer.at)
        elif subject in self._guests:
            self._read(subject, told, answer.at, late)

    def _lose(self, why: str, at: float) -> None:
        """The connection is gone: nobody is asked until the daemon lists its guests again."""
        self._lost = why
        self._listed = False
        self._list_due = at + self._lost_back_off
        self._lost_back_off = min(2 * self._lost_back_off, BACK_OFF_SECONDS[1])
        for guest in self._guests.values():
            guest.forget()

    def _list(self, told: Mapping[str, object], at: float) -> None:
        before = self._guests
        self._guests = {uuid: before.get(uuid) or _Guest(str(name)) for uuid, name in told.items()}
        if self._away and self._listed:
            for uuid in self._guests.keys() - before.keys():
                self._events.append(Event(time.time(), "guest started", uuid, f"{self._guests[uuid].name} started"))
            for uuid in before.keys() - self._guests.keys():
                self._events.append(Event(time.time(), "guest stopped", uuid, f"{before[uuid].name} stopped"))
        self._listed, self._lost, self._lost_back_off = True, None, BACK_OFF_SECONDS[0]
        self._list_due = at + LIST_SECONDS

    def _read(self, uuid: str, told: Mapping[str, object], at: float, late: bool) -> None:
        guest = self._guests[uuid]
        if late:
            guest.forget()
        found = list(readings(uuid, told, at, away=self._away))
        values: dict[Series, float] = {one.series: one.value for one in found if isinstance(one, Level)}
        values.update(guest.rates.update(one for one in found if isinstance(one, Count)))
        passed = SLOW if guest.read_at is None else at - guest.read_at
        self._batch.values.update(values)
        self._batch.periods.update(dict.fromkeys(values, passed))
        guest.read_at, guest.gap, guest.back_off = at, None, BACK_OFF_SECONDS[0]
        # Counted on from the due time, so that no drift adds up.
        period = TICK if uuid in self._looked_at else SLOW
        guest.due = guest.due + period if at < guest.due + period else at + period

    def _give_up(self) -> None:
        """Let late calls be: their guests leave the round until the calls end."""
        now = time.monotonic()
        for lane in self._lanes:
            if lane.subject is None or lane.late or now - lane.asked_at < DEADLINE_SECONDS:
                continue
            lane.late = True
            if lane.subject == LISTING:
                self._lose(f"libvirt has not listed its guests within {DEADLINE_SECONDS:g} s", now)
            elif lane.subject in self._guests:
                guest = self._guests[lane.subject]
                guest.forget()
                guest.put_off(
                    now,
                    f"no answer within {DEADLINE_SECONDS:g} s: its QEMU does not answer its monitor, or a job of "
                    "libvirt's holds it",
                )

    def _ask(self) -> None:
        now = time.monotonic()
        asked = {lane.subject for lane in self._lanes if lane.subject is not None}
        if now >= self._list_due and LISTING not in asked:
            lane = self._free_lane()
            if lane is not None:
                lane.ask(LISTING, lambda connected: connected.running())
        if not self._listed:
            return
        due = sorted(
            (uuid for uuid, one in self._guests.items() if one.due <= now and uuid not in asked),
            key=lambda uuid: (uuid not in self._looked_at, self._guests[uuid].due),
        )
        for uuid in due:
            looked_at = uuid in self._looked_at
            if not looked_at and (now < self._free_at or self._ordinary_call_is_under_way()):
                return
            lane = self._free_lane()
            if lane is None:
                return
            lane.ask(uuid, lambda connected, uuid=uuid: connected.of(uuid, self._groups))  # type: ignore[misc]

    def _ordinary_call_is_under_way(self) -> bool:
        under_way = (lane.subject for lane in self._lanes if lane.subject is not None and not lane.late)
        return any(subject not in self._looked_at for subject in under_way)

    def _free_lane(self) -> Lane | None:
        """A lane that is free, made where there may be one more; None where too many calls hang."""
        for lane in self._lanes:
            if lane.subject is None:
                return lane
        if len(self._lanes) > MOST_HANGING:
            return None
        self._lanes.append(Lane(self._connect, self._answers))
        return self._lanes[-1]
