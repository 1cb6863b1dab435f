"""Time in which CPU quotas held guests back, from their cgroups."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.census import Census, Running
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics import quota as metrics
from kvmnb.measure.series import GUESTS, Count, Reading, Series

# A quota that is set on a running guest may wait this long to be seen.
LOOK_SECONDS = 10.0
WHOLE = "guest"
# What libvirt makes below a guest's group; in cgroup v2 it lies in one more folder, beside systemd's own.
BELOW = re.compile(r"vcpu\d+|emulator|iothread\d+")


class Quotas:
    """Reads the CPU quota's account of every guest that has one."""

    subject = GUESTS
    period = TICK

    def __init__(self, files: Files, census: Census) -> None:
        self.gaps: dict[str, str] = {}
        self._files = files
        self._census = census
        self._groups: dict[str, dict[str, str]] = {}
        self._looked_at = float("-inf")

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment; guests without a quota have none."""
        guests = self._census.guests()
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._groups = {uuid: groups_with_quota(self._files, guest) for uuid, guest in guests.items()}
            self._looked_at = time.monotonic()
        for uuid, groups in self._groups.items():
            for label, folder in groups.items():
                try:
                    text = self._files.read(f"{folder}/cpu.stat")
                except OSError:
                    # The guest has ended; the census tells.
                    continue
                yield from _counts(uuid, label, folder, text)


def _counts(uuid: str, label: str, folder: str, text: str) -> Iterator[Count]:
    told = _told(text)
    at = time.monotonic()
    seconds = throttled_seconds(text)
    if seconds is None:
        return
    yield Count(Series(metrics.GUEST_THROTTLED.name, uuid, label), seconds, at, folder)
    yield Count(Series(metrics.GUEST_QUOTA_PERIODS.name, uuid, label), told.get("nr_periods", 0), at, folder)
    yield Count(Series(metrics.GUEST_THROTTLED_PERIODS.name, uuid, label), told.get("nr_throttled", 0), at, folder)


def throttled_seconds(text: str) -> float | None:
    """For how long a quota held back what was ready to run, from a ``cpu.stat``; None where it does not tell."""
    told = _told(text)
    if "throttled_usec" in told:
        return told["throttled_usec"] / 1e6
    return told["throttled_time"] / 1e9 if "throttled_time" in told else None


def groups_with_quota(files: Files, guest: Running) -> dict[str, str]:
    """The cgroups of a guest that have a CPU quota, by their label; none where the guest has no cgroup."""
    try:
        text = files.read(f"proc/{guest.process.pid}/cgroup")
    except OSError:
        return {}
    return {label: folder for label, folder in _groups(files, text).items() if _has_quota(files, folder)}


def _told(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}


def _groups(files: Files, text: str) -> dict[str, str]:
    """The cgroup of the guest and those below it."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = f"sys/fs/cgroup/{controllers}" if controllers else "sys/fs/cgroup"
        if controllers and not files.exists(root):
            root = "sys/fs/cgroup/cpu"
        # A thread of QEMU is in the group of what it does; the guest's own is above that.
        parts = [part for part in path.split("/") if part]
        if ".." in parts:
            continue
        while parts and (BELOW.fullmatch(parts[-1]) or parts[-1] == "libvirt"):
            parts.pop()
        if not parts:
            continue
        own = "/".join([root, *parts])
        if not files.exists(own) or (not controllers and not files.exists(f"{own}/cpu.stat")):
            continue
        below = f"{own}/libvirt" if files.exists(f"{own}/libvirt") else own
        found = {WHOLE: own}
        found.update({name: f"{below}/{name}" for name in files.names(below) if BELOW.fullmatch(name)})
        return found
    return {}


def _has_quota(files: Files, folder: str) -> bool:
    for name in ("cpu.max", "cpu.cfs_quota_us"):
        try:
            return files.read(f"{folder}/{name}").split()[0] not in ("max", "-1")
        except (OSError, ValueError, IndexError):
            continue
    return False
