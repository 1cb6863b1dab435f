"""Time in which CPU quotas held guests back, from their cgroups."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kvmnb.machine.files import Files
from kvmnb.measure.collect.census import Census, Running
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics import quota as metrics
from kvmnb.measure.series import GUESTS, Count, Reading, Series
from kvmnb.probe import quotas
from kvmnb.probe.quotas import WHOLE

# A quota that is set on a running guest may wait this long to be seen.
LOOK_SECONDS = 10.0

__all__ = ["LOOK_SECONDS", "WHOLE", "Quotas", "groups_with_quota", "throttled_seconds"]


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
    found = quotas.told(text)
    at = time.monotonic()
    seconds = throttled_seconds(text)
    if seconds is None:
        return
    yield Count(Series(metrics.GUEST_THROTTLED.name, uuid, label), seconds, at, folder)
    yield Count(Series(metrics.GUEST_QUOTA_PERIODS.name, uuid, label), found.get("nr_periods", 0), at, folder)
    yield Count(Series(metrics.GUEST_THROTTLED_PERIODS.name, uuid, label), found.get("nr_throttled", 0), at, folder)


def throttled_seconds(text: str) -> float | None:
    """For how long a quota held back what was ready to run, from a ``cpu.stat``; None where it does not tell."""
    found = quotas.told(text)
    if "throttled_usec" in found:
        return found["throttled_usec"] / 1e6
    return found["throttled_time"] / 1e9 if "throttled_time" in found else None


def groups_with_quota(files: Files, guest: Running) -> dict[str, str]:
    """The cgroups of a guest that have a CPU quota, by their label; none where the guest has no cgroup."""
    return quotas.groups_with_quota(files, guest.process.pid)
