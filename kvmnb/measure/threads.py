"""Run time and run delay of the vCPUs of all guests, from the threads of their QEMU processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kvmnb.machine.files import Files
from kvmnb.machine.hypervisor import Thread
from kvmnb.machine.processes import Qemu, qemu_processes, threads
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.series import Count, Series

# Listing all processes costs some milliseconds; a new guest may wait this long to be seen.
RESCAN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ThreadTimes:
    """What the scheduler counts of one thread, in nanoseconds since it began."""

    run_ns: int
    run_delay_ns: int


def thread_times(files: Files, pid: int, tid: int) -> ThreadTimes:
    """The times of one thread of any process, from its ``schedstat``.

    Raises OSError where the thread has ended, ValueError where the kernel tells no such times.
    """
    words = files.read(f"proc/{pid}/task/{tid}/schedstat").split()
    if len(words) != 3:
        raise ValueError(f"/proc/{pid}/task/{tid}/schedstat holds {len(words)} numbers where 3 were expected")
    return ThreadTimes(int(words[0]), int(words[1]))


@dataclass(frozen=True, slots=True)
class _Guest:
    process: Qemu
    vcpus: Mapping[int, int]
    """The kernel's thread number of each vCPU."""


class VcpuThreads:
    """Reads every vCPU thread; which threads there are is remembered and looked up again when one is gone."""

    def __init__(self, files: Files) -> None:
        self.gaps: dict[str, str] = {}
        self._files = files
        self._guests: dict[str, _Guest] = {}
        self._scanned_at = float("-inf")

    def collect(self) -> Iterator[Count]:
        """The counters of this moment; what could not be read, and why, is then in ``gaps``."""
        self.gaps = {}
        if time.monotonic() - self._scanned_at >= RESCAN_SECONDS:
            self._scan()
        for uuid, guest in list(self._guests.items()):
            try:
                counts = list(_counts(self._files, guest))
            except OSError:
                # A thread is gone: the guest ended, was started anew, or a vCPU was taken out.
                self._scanned_at = float("-inf")
                self.gaps[uuid] = "a thread of this guest has ended"
                continue
            except ValueError as problem:
                self.gaps[uuid] = str(problem)
                continue
            if not counts:
                self.gaps[uuid] = "its QEMU does not name its vCPU threads (debug-threads=on is missing)"
            yield from counts

    def _scan(self) -> None:
        found: dict[str, _Guest] = {}
        for process in qemu_processes(self._files):
            try:
                of_process = threads(self._files, process)
            except OSError:
                continue
            vcpus = {thread.number: thread.tid for thread in of_process if thread.kind is Thread.VCPU}
            found[process.uuid] = _Guest(process, vcpus)
        self._guests = found
        self._scanned_at = time.monotonic()


def _counts(files: Files, guest: _Guest) -> Iterator[Count]:
    process = guest.process
    for number, tid in guest.vcpus.items():
        times = thread_times(files, process.pid, tid)
        at = time.monotonic()
        thread = (process.pid, process.start_ticks, tid)
        yield Count(Series(VCPU_RUN.name, process.uuid, number), times.run_ns / 1e9, at, thread)
        yield Count(Series(VCPU_RUN_DELAY.name, process.uuid, number), times.run_delay_ns / 1e9, at, thread)
