"""The QEMU processes of this host and their threads, from ``/proc``."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from kvmnb.core.cpuset import CpuSet
from kvmnb.machine.files import Files
from kvmnb.machine.hypervisor import Thread


@dataclass(frozen=True, slots=True)
class Qemu:
    """One QEMU process; ``start_ticks`` tells it from a later process with its number."""

    pid: int
    start_ticks: int
    uuid: str
    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QemuThread:
    """One thread of a QEMU process.

    ``kind`` is None for a thread that libvirt does not pin by itself (workers follow the emulator).
    """

    tid: int
    name: str
    kind: Thread | None
    number: int
    allowed: CpuSet


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of a host that run guests."""

    qemus: tuple[Qemu, ...]
    vhosts: Mapping[int, tuple[int, ...]]
    """The kernel's vhost threads that are processes of their own (Linux before 6.4), by the QEMU they work for."""


def qemu_processes(files: Files) -> Iterator[Qemu]:
    """Every QEMU process that says which guest it runs (``-uuid`` and ``-name guest=`` in its arguments).

    A process that ends meanwhile, or whose arguments this user may not read, is left out.
    """
    return iter(guest_processes(files).qemus)


class Names:
    """The names of all processes, for who looks often: that of an old process is read again only now and then.

    A process that is to become a guest's QEMU is young when it does so. One that is not, or that took the number of
    another one between two looks, is seen after ``ANEW_SECONDS`` at the latest.
    """

    YOUNG_SECONDS = 15.0
    ANEW_SECONDS = 30.0

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, float]] = {}
        self._anew_at = float("-inf")

    def read(self, files: Files) -> dict[str, str]:
        """Each process' name by its number; OSError where /proc cannot be read."""
        now = time.monotonic()
        anew = False
        if now - self._anew_at >= self.ANEW_SECONDS:
            anew, self._anew_at = True, now
        found: dict[str, tuple[str, float]] = {}
        for pid in files.names("proc"):
            if not pid.isdecimal():
                continue
            name, seen_at = self._known.get(pid, ("", now))
            if name and not anew and now - seen_at >= self.YOUNG_SECONDS:
                found[pid] = name, seen_at
                continue
            try:
                found[pid] = files.read(f"proc/{pid}/comm"), seen_at
            except (OSError, ValueError):
                continue
        self._known = found
        return {pid: name for pid, (name, _) in found.items()}


def guest_processes(files: Files, names: Names | None = None) -> Processes:
    """The QEMU processes and the vhost threads beside them, from one look at all processes."""
    named = (names or Names()).read(files)
    vhosts: dict[int, tuple[int, ...]] = {}
    for pid, name in named.items():
        if found := re.fullmatch(r"vhost-(\d{1,10})", name):
            vhosts[int(found[1])] = (*vhosts.get(int(found[1]), ()), int(pid))
    return Processes(tuple(_qemus(files, named)), vhosts)


def _qemus(files: Files, named: Mapping[str, str]) -> Iterator[Qemu]:
    for pid, comm in named.items():
        # The name is cut at 15 characters, so "qemu-system-x86_64" reads "qemu-system-x86".
        if not comm.startswith(("qemu", "kvm")):
            continue
        try:
            arguments = files.read_bytes(f"proc/{pid}/cmdline").decode(errors="replace").split("\0")
            start_ticks = int(files.read(f"proc/{pid}/stat").rpartition(")")[2].split()[19])
        except (OSError, ValueError, IndexError):
            continue
        after = dict(pairwise(arguments))
        uuid = after.get("-uuid", "")
        # libvirt doubles a comma inside a name, since a comma divides QEMU's options.
        name = re.match(r"guest=((?:[^,]|,,)*)", after.get("-name", ""))
        if uuid and name:
            yield Qemu(int(pid), start_ticks, uuid.lower(), name[1].replace(",,", ","), tuple(arguments))


def threads(files: Files, process: Qemu) -> tuple[QemuThread, ...]:
    """The threads of a QEMU process, by their numbers; those that end meanwhile are left out."""
    found = []
    for tid in files.names(f"proc/{process.pid}/task"):
        folder = f"proc/{process.pid}/task/{tid}"
        try:
            name = files.read(f"{folder}/comm")
            status = files.read(f"{folder}/status")
        except OSError:
            continue
        allowed = re.search(r"^Cpus_allowed_list:\s*(\S*)", status, re.MULTILINE)
        kind, number = _role(name, int(tid) == process.pid)
        found.append(QemuThread(int(tid), name, kind, number, CpuSet.parse(allowed[1] if allowed else "")))
    return tuple(sorted(found, key=lambda thread: thread.tid))


def _role(name: str, first: bool) -> tuple[Thread | None, int]:
    """What a thread does, from the name that QEMU gives it (libvirt sets ``debug-threads=on``).

    >>> _role("CPU 3/KVM", False)
    (<Thread.VCPU: 'vcpupin'>, 3)
    """
    if first:
        return Thread.EMULATOR, 0
    if match := re.match(r"CPU (\d+)/", name):
        return Thread.VCPU, int(match[1])
    if match := re.match(r"IO iothread(\d+)", name):
        return Thread.IOTHREAD, int(match[1])
    return None, 0
