"""The live source: this host's ``/proc``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.host_cpus import HostCpus
from kvmnb.measure.series import GUESTS, HOST, Count, Frame, Rates
from kvmnb.measure.threads import VcpuThreads


class LiveSource:
    """Reads the vCPU threads of all guests and the host's CPUs; libvirt is not asked."""

    title_note = "live"
    absent = "no QEMU of this guest is seen in /proc: it does not run, or its processes are hidden from this user"

    def __init__(self, files: Files) -> None:
        self._vcpus = VcpuThreads(files)
        self._cpus = HostCpus(files)
        self._rates = Rates()
        self._first = True

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        """None: a guest's configuration tells its vCPUs, running or not."""
        return None

    def read(self) -> Frame | None:
        """The rates since the last reading; None from the first."""
        gaps: dict[str, str] = {}
        counts = _collected(self._vcpus.collect, GUESTS, gaps)
        gaps.update(self._vcpus.gaps)
        counts += _collected(self._cpus.collect, HOST, gaps)
        at = time.time()
        values = self._rates.update(counts)
        if self._first:
            self._first = False
            return None
        return Frame(at, values, gaps)


def _collected(collect: Callable[[], Iterator[Count]], subject: str, gaps: dict[str, str]) -> list[Count]:
    try:
        return list(collect())
    except (OSError, ValueError, IndexError) as problem:
        gaps[subject] = f"{subject} cannot be read: {problem}"
        return []
