"""Looks at this host's busy threads: the guests' own and whoever else takes CPU time.

Each file is read once a look. Nothing is read while nobody looks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Hashable, Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.bystanders import Bystanders, told
from kvmnb.measure.collect.census import Census, Running
from kvmnb.measure.collect.quotas import LOOK_SECONDS as QUOTAS_SECONDS
from kvmnb.measure.collect.quotas import WHOLE, groups_with_quota, throttled_seconds
from kvmnb.measure.collect.threads import STOPPED, thread_times
from kvmnb.measure.moment import CpuAt, Kind, Moment, Party, ThreadAt

LOOKS_A_SECOND = 5.0
# Sweeps tell who is busy from the second one on.
FIRST_SWEEPS_APART_SECONDS = 0.2
# Of one core, at most; where a look takes longer, looks are made less often.
MOST_SHARE = 0.1


class Looks:
    """Takes looks at this host, one after the other; ``gaps`` then says what they could not see."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._census = Census(files)
        self._others = Bystanders(files)
        self._quotas: dict[str, dict[str, str]] = {}
        self._quotas_at = float("-inf")
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")
        self._gaps: dict[str, str] = {}

    @property
    def guests(self) -> dict[str, str]:
        """The name of each guest that runs, by its UUID."""
        return {uuid: one.process.name for uuid, one in self._census.known().items()}

    @property
    def gaps(self) -> tuple[str, ...]:
        """What the looks could not see, and what that means."""
        hidden = self._others.hidden
        found = (f"processes that could not be looked at, {hidden} of them: what they took is unknown",)
        return (*self._gaps.values(), *(found if hidden else ()))

    def names(self) -> dict[Party, Party]:
        """What to call those whose process is known by its number."""
        return self._others.names()

    def over(self, seconds: float, a_second: float = LOOKS_A_SECOND) -> Iterator[Moment]:
        """Look for so long, so often; it takes that long, and a moment before it to learn who is busy."""
        self._sweep()
        time.sleep(FIRST_SWEEPS_APART_SECONDS)
        ends = time.monotonic() + seconds
        due = time.monotonic()
        while True:
            began, worked = time.monotonic(), time.thread_time()
            self._sweep()
            found = self.look()
            took = time.thread_time() - worked
            yield found
            if took / MOST_SHARE > 1 / a_second:
                self._gaps["often"] = "a look at all threads takes long here, so fewer were made than were asked for"
            due = max(due + 1 / a_second, began + took / MOST_SHARE)
            if due >= ends:
                break
            time.sleep(max(0.0, due - time.monotonic()))
        time.sleep(max(0.0, ends - time.monotonic()))
        yield self.look()

    def look(self) -> Moment:
        """All busy threads and CPUs at this moment; OSError or ValueError where /proc cannot be read."""
        threads: dict[Hashable, ThreadAt] = {}
        held: dict[str, float] = {}
        guests = dict(self._census.guests())
        self._look_for_quotas(guests)
        # A CPU's time is counted in ticks; the threads are read around it, so that neither is always the later one.
        cpus = self._cpus()
        at = time.monotonic()
        for uuid, guest in guests.items():
            self._guest(uuid, guest, threads, held)
        for folder, party in self._others.threads.items():
            try:
                threads[folder] = self._thread(folder, party)
            except (OSError, ValueError, IndexError):
                # It has ended; the next sweep leaves it out.
                continue
        return Moment(at, threads, cpus, held)

    def _sweep(self) -> None:
        guests = self._census.guests()
        known = {folder for one in guests.values() for folder in (*one.vcpus.values(), *one.others.values())}
        self._others.sweep({str(one.process.pid): uuid for uuid, one in guests.items()}, known)

    def _guest(self, uuid: str, guest: Running, threads: dict[Hashable, ThreadAt], held: dict[str, float]) -> None:
        quotas = {label: self._throttled(folder) for label, folder in self._quotas.get(uuid, {}).items()}
        if quotas.get(WHOLE) is not None:
            held[uuid] = quotas[WHOLE] or 0.0
        try:
            for number, folder in guest.vcpus.items():
                own = quotas.get(f"vcpu{number}") or 0.0
                threads[folder] = self._thread(folder, Party(Kind.GUEST, uuid), is_vcpu=True, throttled=own)
            for label, folder in guest.others.items():
                kind = Kind.VHOST if label.startswith("vhost-") else Kind.GUEST
                threads[folder] = self._thread(folder, Party(kind, uuid), throttled=quotas.get(label) or 0.0)
        except OSError:
            # A thread has ended: the guest did, or a vCPU or a device was taken out.
            self._census.doubt(uuid)
        except (ValueError, IndexError) as problem:
            self._gaps[uuid] = f"{guest.process.name} could not be looked at: {problem}"

    def _thread(self, folder: str, party: Party, *, is_vcpu: bool = False, throttled: float = 0.0) -> ThreadAt:
        times = thread_times(self._files, folder)
        now = told(self._files.read(f"{folder}/stat"))
        if now.state == STOPPED and is_vcpu:
            raise ValueError("its QEMU is stopped by a signal (SIGSTOP)")
        return ThreadAt(party, times.run_ns / 1e9, times.run_delay_ns / 1e9, now.cpu, is_vcpu, throttled)

    def _look_for_quotas(self, guests: dict[str, Running]) -> None:
        if time.monotonic() - self._quotas_at >= QUOTAS_SECONDS or self._quotas.keys() != guests.keys():
            self._quotas = {uuid: groups_with_quota(self._files, guest) for uuid, guest in guests.items()}
            self._quotas_at = time.monotonic()

    def _throttled(self, folder: str) -> float | None:
        try:
            return throttled_seconds(self._files.read(f"{folder}/cpu.stat"))
        except (OSError, ValueError):
            # The guest has ended; the census tells.
            return None

    def _cpus(self) -> dict[int, CpuAt]:
        """Every online CPU's time, without that of the idle task."""
        found = {}
        for line in self._files.read("proc/stat").splitlines():
            name, *columns = line.split()
            if name.startswith("cpu") and name != "cpu":
                ticks = [int(one) / self._ticks_per_second for one in columns]
                user, nice, system, _, _, irq, softirq, steal = (*ticks, *[0.0] * 8)[:8]
                found[int(name[3:])] = CpuAt(user + nice + system + irq + softirq, irq + softirq, steal)
        return found
