"""The live source: this host's ``/proc`` and ``/sys`` at every tick, and libvirt's counters in turn beside it."""

from __future__ import annotations

import time

from kvmnb.machine.files import Files
from kvmnb.measure.aside import Aside
from kvmnb.measure.collect.census import Census
from kvmnb.measure.collect.collector import Batch, Clocked, Collector
from kvmnb.measure.collect.guest_memory import GuestMemory, GuestProcesses
from kvmnb.measure.collect.host_cpus import HostCpus
from kvmnb.measure.collect.host_disks import HostDisks
from kvmnb.measure.collect.host_memory import HostMemory, Swapping
from kvmnb.measure.collect.host_nics import Nics
from kvmnb.measure.collect.pressure import Pressure
from kvmnb.measure.collect.quotas import Quotas
from kvmnb.measure.collect.threads import SwitchesOfGuests, ThreadClocks
from kvmnb.measure.journals import Journals
from kvmnb.measure.metric import TICK
from kvmnb.measure.rounds import Rounds
from kvmnb.measure.series import Event, Frame


class LiveSource:
    """Reads the guests' threads, memory and taps and the host's resources; libvirt for what it alone knows."""

    title_note = "live"
    absent = "no QEMU of this guest is seen in /proc: it does not run, or its processes are hidden from this user"

    def __init__(self, files: Files, rounds: Rounds | None = None, journals: Journals | None = None) -> None:
        self.period = TICK
        """Seconds from one reading to the next, as the sampler means it."""
        self._census = Census(files)
        collectors: tuple[Collector, ...] = (
            ThreadClocks(files, self._census),
            GuestProcesses(files, self._census),
            Quotas(files, self._census),
            Nics(files, self._census),
            HostCpus(files),
            Pressure(files),
            HostDisks(files),
            Swapping(files),
            HostMemory(files),
            GuestMemory(files, self._census),
            SwitchesOfGuests(files, self._census),
        )
        self._collectors = tuple(Clocked(one) for one in collectors)
        self._aside = Aside(files, self._census)
        self._rounds = rounds
        self._journals = journals
        self._first = True

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """None: a guest's configuration tells its vCPUs, running or not."""
        return None

    def look_at(self, guests: frozenset[str]) -> None:
        """These guests are looked at: libvirt is asked of them every second."""
        if self._rounds is not None:
            self._rounds.look_at(guests)

    def wake(self) -> None:
        """Start what reads beside the tick."""
        self._aside.start()
        if self._rounds is not None:
            self._rounds.start()

    def rest(self) -> None:
        """Let go of threads and connections."""
        self._aside.stop()
        if self._rounds is not None:
            self._rounds.stop()

    def read(self) -> Frame | None:
        """What is new since the last reading; None from the first, which has no rates yet."""
        batch = Batch()
        for one in self._collectors:
            one.read(batch, self.period)
        at = time.time()
        events: tuple[Event, ...] = self._census.events()
        self._aside.drain(batch)
        if self._rounds is not None:
            events += self._rounds.drain(batch)
        if self._journals is not None:
            events += self._journals.events()
        if self._first:
            self._first = False
            return None
        return Frame(at, batch.values, batch.gaps, self.period, batch.periods, events)


class AwaySource:
    """Another host's guests, of which libvirt alone tells."""

    title_note = "live, told by libvirt"
    absent = "libvirt does not tell of this guest: it does not run, or it does not answer"

    def __init__(self, rounds: Rounds) -> None:
        self.period = TICK
        self._rounds = rounds

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """None: a guest's configuration tells its vCPUs, running or not."""
        return None

    def look_at(self, guests: frozenset[str]) -> None:
        """Ask of these guests every second."""
        self._rounds.look_at(guests)

    def wake(self) -> None:
        """Start to ask libvirt."""
        self._rounds.start()

    def rest(self) -> None:
        """Let go of threads and connections."""
        self._rounds.stop()

    def read(self) -> Frame | None:
        """What libvirt told since the last reading."""
        batch = Batch()
        events = self._rounds.drain(batch)
        return Frame(time.time(), batch.values, batch.gaps, self.period, batch.periods, events)
