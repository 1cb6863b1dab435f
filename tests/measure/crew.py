"""Real guests with known work, and what the kernel says of their threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple, Self

from kvmnb.measure.moment import Kind, Party
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml
from tests.lab.guest import Guest

CPUS = sorted(os.sched_getaffinity(0))
IOPS = 500
_started = count()
TUNE = f"<iotune><total_iops_sec>{IOPS}</total_iops_sec></iotune>"


class Times(NamedTuple):
    """What the kernel counted of one thread, in seconds."""

    run: float
    delay: float


def times_of(pid: int, tid: int) -> Times:
    """The very thread's account, read apart from what is tested."""
    run, delay, _ = Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()
    return Times(int(run) / 1e9, int(delay) / 1e9)


@dataclass
class Member:
    """One guest of the crew."""

    guest: Guest
    tap: str
    _loops: bool = field(default=False)

    @classmethod
    def start(cls, lab: Lab, number: int) -> Self:
        """Start it; its system is still booting then."""
        # The lab keeps the disk and the log of a crew before.
        name = f"crew{next(_started)}"
        disk = disk_xml(lab.disk(name, 64)).replace("</disk>", f"{TUNE}</disk>")
        tap = f"kvmnb{lab.tag[:8]}"
        card = f"<interface type='ethernet'><target dev='{tap}'/><model type='virtio'/></interface>"
        devices = (disk,) if number else (disk, card)
        return cls(Guest.start(lab, f"{name}-{lab.tag}", devices=devices), "" if number else tap)

    @property
    def party(self) -> Party:
        """Who it is in a matrix."""
        return Party(Kind.GUEST, self.guest.uuid)

    @property
    def times(self) -> Times:
        """Its vCPU's account."""
        return times_of(self.guest.pid, self.guest.vcpu_threads[0])

    @property
    def besides(self) -> float:
        """How long all of its threads but the vCPU ran."""
        found = 0.0
        for tid in self.guest.threads.keys() - set(self.guest.vcpu_threads):
            try:
                found += times_of(self.guest.pid, tid).run
            except FileNotFoundError:
                # QEMU's workers come and go.
                continue
        return found

    def busy(self) -> None:
        """Have it use all of its vCPU until it is calmed."""
        if not self._loops:
            self.guest.run("while :; do :; done & echo $! >/loop")
            self._loops = True

    @contextmanager
    def reads(self) -> Iterator[None]:
        """Have it read its disk as fast as it may, past its cache."""
        loop = "while :; do dd if=/dev/vda of=/dev/null bs=4k iflag=direct; done"
        self.guest.run(f"({loop}) >/dev/null 2>&1 & echo $! >/reads")
        try:
            yield
        finally:
            self.guest.run("kill $(cat /reads); killall dd")

    def pin(self, *cpus: int) -> None:
        """Keep its vCPU on these CPUs."""
        self.guest.domain.pinVcpu(0, tuple(cpu in cpus for cpu in range(os.cpu_count() or 1)))

    def quota(self, share: float | None) -> None:
        """Hold its vCPU to a share of a CPU; None: no more."""
        microseconds = -1 if share is None else round(share * 100_000)
        self.guest.domain.setSchedulerParameters({"vcpu_period": 100_000, "vcpu_quota": microseconds})

    @property
    def throttled(self) -> float:
        """For how long its vCPU's quota held it back, as the kernel counts it."""
        account = Path(f"/proc/{self.guest.pid}/task/{self.guest.vcpu_threads[0]}/cgroup")
        for line in account.read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            for root in ("/sys/fs/cgroup", f"/sys/fs/cgroup/{controllers}"):
                path = Path(f"{root}{group}/cpu.stat")
                told = dict(one.split() for one in path.read_text().splitlines()) if path.exists() else {}
                if "throttled_time" in told:
                    return int(told["throttled_time"]) / 1e9
                if "throttled_usec" in told:
                    return int(told["throttled_usec"]) / 1e6
        raise AssertionError(f"{self.guest.name} has no cgroup that counts what a quota held back")

    def calm(self) -> None:
        """Idle again, without a quota, free to run anywhere."""
        if self._loops:
            self.guest.run("kill $(cat /loop)")
            self._loops = False
        self.pin(*CPUS)


@dataclass
class Crew:
    """Three guests."""

    lab: Lab
    members: tuple[Member, ...]

    def reconnect(self) -> None:
        """Connect anew, as is needed after the daemon was started again."""
        for one in self.members:
            one.guest.reconnect()

    def calm(self) -> None:
        """All idle again."""
        for one in self.members:
            one.calm()


def wait_for(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait until it holds; AssertionError where it does not come to hold."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.02)
