"""When and where the threads of all guests ran and waited."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from kvmnb.machine.files import Files
from kvmnb.measure.collect.census import Census, Running
from kvmnb.measure.metric import SLOW, TICK, Metric
from kvmnb.measure.metrics.thread import (
    THREAD_LAST_CPU,
    THREAD_LAST_NODE,
    THREAD_RUN,
    THREAD_RUN_DELAY,
    THREAD_TURNS,
)
from kvmnb.measure.metrics.vcpu import (
    VCPU_LAST_CPU,
    VCPU_LAST_NODE,
    VCPU_PREEMPTIONS,
    VCPU_RUN,
    VCPU_RUN_DELAY,
    VCPU_TURNS,
    VCPU_YIELDS,
)
from kvmnb.measure.series import GUESTS, Count, Level, Reading, Series

# proc(5): stopped by a signal, and not by a tracer.
STOPPED = "T"
OF_VCPUS = (VCPU_RUN, VCPU_RUN_DELAY, VCPU_TURNS, VCPU_LAST_CPU, VCPU_LAST_NODE)
OF_OTHERS = (THREAD_RUN, THREAD_RUN_DELAY, THREAD_TURNS, THREAD_LAST_CPU, THREAD_LAST_NODE)


@dataclass(frozen=True, slots=True)
class ThreadTimes:
    """What the scheduler counts of one thread since it began, times in nanoseconds."""

    run_ns: int
    run_delay_ns: int
    turns: int


def thread_times(files: Files, folder: str) -> ThreadTimes:
    """The times of one thread, by its folder in /proc, from its ``schedstat``.

    Raises OSError where the thread has ended, ValueError where the kernel tells no such times.
    """
    words = files.read(f"{folder}/schedstat").split()
    if len(words) != 3:
        raise ValueError(f"/{folder}/schedstat holds {len(words)} numbers where 3 were expected")
    return ThreadTimes(int(words[0]), int(words[1]), int(words[2]))


class ThreadClocks:
    """Run time, run delay, turns and last CPU of every vCPU, emulator, iothread and vhost worker."""

    subject = GUESTS
    period = TICK

    def __init__(self, files: Files, census: Census) -> None:
        self.gaps: dict[str, str] = {}
        self._files = files
        self._census = census

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment; what could not be read, and why, is then in ``gaps``."""
        self.gaps = {}
        for uuid, guest in list(self._census.guests().items()):
            try:
                readings = list(self._readings(guest))
            except OSError:
                # A thread is gone: the guest ended, was started anew, or a vCPU was taken out.
                self._census.doubt(uuid)
                self.gaps[uuid] = "a thread of this guest has ended"
                continue
            except (ValueError, IndexError) as problem:
                self.gaps[uuid] = str(problem)
                continue
            if not guest.vcpus:
                self.gaps[uuid] = "its QEMU does not name its vCPU threads (debug-threads=on is missing)"
            yield from readings

    def _readings(self, guest: Running) -> Iterator[Reading]:
        for number, folder in guest.vcpus.items():
            yield from self._thread(guest, OF_VCPUS, number, folder)
        for label, folder in guest.others.items():
            try:
                yield from self._thread(guest, OF_OTHERS, label, folder)
            except (FileNotFoundError, ProcessLookupError):
                # vhost workers and iothreads come and go with their devices; the guest's vCPUs do not suffer.
                self._census.doubt(guest.process.uuid)

    def _thread(self, guest: Running, metrics: tuple[Metric, ...], part: int | str, folder: str) -> Iterator[Reading]:
        run, delay, turns, last_cpu, last_node = (Series(one.name, guest.process.uuid, part) for one in metrics)
        times = thread_times(self._files, folder)
        at = time.monotonic()
        thread = (guest.process.start_ticks, folder)
        words = self._files.read(f"{folder}/stat").rpartition(")")[2].split()
        if words[0] == STOPPED:
            raise ValueError("its QEMU is stopped by a signal (SIGSTOP), so it neither runs nor answers")
        yield Count(run, times.run_ns / 1e9, at, thread)
        yield Count(delay, times.run_delay_ns / 1e9, at, thread)
        yield Count(turns, times.turns, at, thread)
        # Field 39 of proc(5); the two before the state are cut off with the name.
        cpu = int(words[36])
        yield Level(last_cpu, cpu)
        node = self._census.node_of(cpu)
        if node is not None:
            yield Level(last_node, node)


class SwitchesOfGuests:
    """Voluntary and involuntary context switches of every vCPU."""

    subject = GUESTS
    period = SLOW

    def __init__(self, files: Files, census: Census) -> None:
        self.gaps: dict[str, str] = {}
        self._files = files
        self._census = census

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment."""
        for uuid, guest in list(self._census.guests().items()):
            for number, folder in guest.vcpus.items():
                try:
                    text = self._files.read(f"{folder}/status")
                except OSError:
                    self._census.doubt(uuid)
                    break
                at = time.monotonic()
                thread = (guest.process.start_ticks, folder)
                told = dict(line.split(":", 1) for line in text.splitlines() if "ctxt_switches:" in line)
                for metric, name in ((VCPU_YIELDS, "voluntary_ctxt_switches"), (VCPU_PREEMPTIONS, _PREEMPTED)):
                    if name in told:
                        yield Count(Series(metric.name, uuid, number), int(told[name]), at, thread)


_PREEMPTED = "nonvoluntary_ctxt_switches"
