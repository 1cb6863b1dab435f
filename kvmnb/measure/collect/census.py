"""Which guests run here, with which threads: looked up now and then, and remembered between."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kvmnb.core.cpuset import CpuSet
from kvmnb.machine.files import Files
from kvmnb.machine.hypervisor import Thread
from kvmnb.machine.processes import Names, Qemu, guest_processes, threads
from kvmnb.measure.series import Event

# Listing all processes and reading the names of new ones costs some milliseconds on a large host; a new guest may
# wait this long to be seen.
RESCAN_SECONDS = 2.0
# Looking up a guest's threads costs two reads for each of them; a vCPU that is plugged in may wait this long.
THREADS_SECONDS = 10.0

EMULATOR = "emulator"


@dataclass(frozen=True, slots=True)
class Running:
    """One guest that runs here."""

    process: Qemu
    vcpus: Mapping[int, str]
    """The folder in /proc of each vCPU's thread."""
    others: Mapping[str, str]
    """The folder in /proc of the emulator's first thread, of iothreads and vhost workers, by their label."""
    seen_at: float


class Census:
    """The guests of this host, by UUID."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._names = Names()
        self._guests: dict[str, Running] = {}
        self._scanned_at = float("-inf")
        self._first = True
        self._events: list[Event] = []
        self._nodes: dict[int, int] | None = None

    def guests(self) -> Mapping[str, Running]:
        """Who runs, as of a look that is at most ``RESCAN_SECONDS`` old; OSError where /proc cannot be read."""
        if time.monotonic() - self._scanned_at >= RESCAN_SECONDS:
            self._scan()
        return self._guests

    def known(self) -> Mapping[str, Running]:
        """Who ran at the last look; for another thread than the one that looks."""
        return self._guests

    def doubt(self, uuid: str) -> None:
        """A thread of this guest is gone: look anew before the next reading."""
        if uuid in self._guests:
            again = replace(self._guests[uuid], seen_at=float("-inf"))
            # A new mapping: another thread may be going through the present one.
            self._guests = {**self._guests, uuid: again}
        self._scanned_at = float("-inf")

    def events(self) -> tuple[Event, ...]:
        """Guests that started and stopped since they were asked for last."""
        found, self._events = tuple(self._events), []
        return found

    def node_of(self, cpu: int) -> int | None:
        """The NUMA node of a host CPU; None where the kernel has no nodes."""
        if self._nodes is None:
            self._nodes = _nodes(self._files)
        return self._nodes.get(cpu)

    def _scan(self) -> None:
        now = time.monotonic()
        processes = guest_processes(self._files, self._names)
        found: dict[str, Running] = {}
        for process in processes.qemus:
            known = self._guests.get(process.uuid)
            same = known is not None and _identity(known.process) == _identity(process)
            vhosts = {f"vhost-{tid}": f"proc/{tid}/task/{tid}" for tid in processes.vhosts.get(process.pid, ())}
            if known is not None and same and now - known.seen_at < THREADS_SECONDS:
                within = {label: folder for label, folder in known.others.items() if folder.startswith(_tasks(process))}
                found[process.uuid] = Running(process, known.vcpus, {**within, **vhosts}, known.seen_at)
                continue
            try:
                found[process.uuid] = _running(self._files, process, vhosts, now)
            except OSError:
                # It ended between the two looks.
                continue
        self._note(found)
        self._guests = found
        self._scanned_at = now

    def _note(self, found: Mapping[str, Running]) -> None:
        """Mark who came and who went; at the first look nobody came."""
        if self._first:
            self._first = False
            return
        at = time.time()
        before = {_identity(one.process): one.process for one in self._guests.values()}
        now = {_identity(one.process): one.process for one in found.values()}
        for identity, process in before.items():
            if identity not in now:
                self._events.append(Event(at, "guest stopped", process.uuid, f"{process.name} stopped"))
        for identity, process in now.items():
            if identity not in before:
                self._events.append(Event(at, "guest started", process.uuid, f"{process.name} started"))


def _identity(process: Qemu) -> tuple[int, int]:
    return process.pid, process.start_ticks


def _tasks(process: Qemu) -> str:
    return f"proc/{process.pid}/task/"


def _running(files: Files, process: Qemu, vhosts: Mapping[str, str], now: float) -> Running:
    vcpus: dict[int, str] = {}
    others: dict[str, str] = {}
    for thread in threads(files, process):
        folder = f"{_tasks(process)}{thread.tid}"
        if thread.kind is Thread.VCPU:
            vcpus[thread.number] = folder
        elif thread.kind is Thread.EMULATOR:
            others[EMULATOR] = folder
        elif thread.kind is Thread.IOTHREAD:
            others[f"iothread{thread.number}"] = folder
        elif thread.name.startswith("vhost-"):
            others[f"vhost-{thread.tid}"] = folder
    return Running(process, vcpus, {**others, **vhosts}, now)


def _nodes(files: Files) -> dict[int, int]:
    found: dict[int, int] = {}
    try:
        names = files.names("sys/devices/system/node")
    except OSError:
        return found
    for name in names:
        if name.startswith("node") and name[4:].isdecimal():
            try:
                cpus = CpuSet.parse(files.read(f"sys/devices/system/node/{name}/cpulist"))
            except (OSError, ValueError):
                continue
            found.update(dict.fromkeys(cpus, int(name[4:])))
    return found
