"""Who else is busy on this host: the threads of other processes, and the kernel's own, that take CPU time.

Most threads of a host sleep. A sweep looks at each process as a whole (one small file), and only into those that ran
since the sweep before; between sweeps the busy ones alone are read.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from kvmnb.machine.files import Files
from kvmnb.measure.collect.threads import thread_times
from kvmnb.measure.moment import Kind, Party

SWEEP_SECONDS = 0.5
# A sweep of a host with thousands of processes takes long; then it is made less often.
MOST_SHARE = 0.05
# A thread that ran less between two sweeps takes nobody's CPU: 0.2 % of it.
BUSY_SECONDS = 0.001
# include/linux/sched.h
PF_KTHREAD = 0x00200000


class Told(NamedTuple):
    """What ``/proc/<pid>/stat`` tells of a process or a thread, as far as it is asked here."""

    name: str
    state: str
    is_kernel: bool
    ticks: int
    """utime and stime: time that it ran, in ticks of 10 ms."""
    cpu: int
    """Where it ran last."""


def told(text: str) -> Told:
    """What such a file says; ValueError or IndexError where it is none. The name may hold anything, brackets too."""
    name, _, rest = text.partition("(")[2].rpartition(")")
    words = rest.split()
    return Told(name, words[0], bool(int(words[6]) & PF_KTHREAD), int(words[11]) + int(words[12]), int(words[36]))


class Bystanders:
    """The busy threads of this host, as of the last sweep; the caller says which ones it knows already."""

    def __init__(self, files: Files) -> None:
        self.threads: dict[str, Party] = {}
        """Each busy thread's folder in /proc, and whose it is."""
        self.hidden = 0
        """How many processes could not be looked at."""
        self._files = files
        self._ran: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._pids: dict[Party, set[str]] = defaultdict(set)
        self.next_at = float("-inf")
        """When the next sweep is due, on the monotonic clock."""

    def sweep(self, guests: Mapping[str, str], known: Collection[str]) -> None:
        """Look for busy threads, if it is time for it.

        ``guests`` are the UUIDs of the guests by the number of their QEMU's process, ``known`` the folders of
        threads that are read anyway.
        """
        now = time.monotonic()
        if now < self.next_at:
            return
        found: dict[str, Party] = {}
        ran: dict[str, int] = {}
        times: dict[str, int] = {}
        self.hidden = 0
        for pid in self._files.names("proc"):
            if pid.isdecimal():
                try:
                    self._process(pid, guests, known, found, ran, times)
                except (FileNotFoundError, ProcessLookupError):
                    continue
                except (OSError, ValueError, IndexError):
                    self.hidden += 1
        self.threads, self._ran, self._times = found, ran, times
        self.next_at = time.monotonic() + max(SWEEP_SECONDS, (time.monotonic() - now) / MOST_SHARE)

    def names(self) -> dict[Party, Party]:
        """What to call those of whom one process alone was busy: by its number too."""
        return {
            party: Party(party.kind, f"{party.name} (pid {next(iter(pids))})")
            for party, pids in self._pids.items()
            if len(pids) == 1
        }

    def _process(
        self,
        pid: str,
        guests: Mapping[str, str],
        known: Collection[str],
        found: dict[str, Party],
        ran: dict[str, int],
        times: dict[str, int],
    ) -> None:
        process = told(self._files.read(f"proc/{pid}/stat"))
        ran[pid] = process.ticks
        if process.ticks == self._ran.get(pid, process.ticks) and process.state != "R":
            return
        if process.is_kernel and process.name.startswith("ksoftirqd/"):
            # /proc/stat counts all that it does as interrupts, which are looked at already.
            return
        party = self._party(pid, process, guests)
        for tid in self._files.names(f"proc/{pid}/task"):
            folder = f"proc/{pid}/task/{tid}"
            if folder in known:
                continue
            try:
                times[folder] = thread_times(self._files, folder).run_ns
            except (FileNotFoundError, ProcessLookupError):
                continue
            before = self._times.get(folder)
            if before is None or times[folder] - before >= BUSY_SECONDS * 1e9:
                found[folder] = party

    def _party(self, pid: str, process: Told, guests: Mapping[str, str]) -> Party:
        if pid in guests:
            return Party(Kind.GUEST, guests[pid])
        if process.is_kernel:
            return Party(Kind.KERNEL, process.name)
        name = "kvmnb itself" if pid == str(os.getpid()) else process.name
        party = Party(Kind.PROCESS, name)
        self._pids[party].add(pid)
        return party
