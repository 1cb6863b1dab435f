"""What a request takes, as a guest sees it and in the host's device below."""

from __future__ import annotations

from kvmnb.measure.diagnose.pattern import threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.guest_disk import DISK_READ_SECONDS, DISK_READS, DISK_WRITE_SECONDS, DISK_WRITES
from kvmnb.measure.metrics.host_disk import (
    HOST_DISK_READ_SECONDS,
    HOST_DISK_READS,
    HOST_DISK_WRITE_SECONDS,
    HOST_DISK_WRITES,
)

SLOW = threshold("diag.disk.slow", 0.005, "s", "the time of a request from which a disk is slow")


def latencies(signals: Signals, guest: str) -> dict[str, float]:
    """Seconds that a request of each disk of a guest takes; disks without requests are left out."""
    reads, writes = signals.parts(DISK_READS, guest), signals.parts(DISK_WRITES, guest)
    read, written = signals.parts(DISK_READ_SECONDS, guest), signals.parts(DISK_WRITE_SECONDS, guest)
    found = {}
    for disk in reads:
        requests = reads[disk].mean + writes[disk].mean
        if requests > 0:
            found[str(disk)] = (read[disk].mean + written[disk].mean) / requests
    return found


def device_latency(signals: Signals, device: str) -> float:
    """Seconds that a request of a block device takes; 0 where there was none."""
    requests = sum(signals.one(one, part=device).mean for one in (HOST_DISK_READS, HOST_DISK_WRITES))
    seconds = sum(signals.one(one, part=device).mean for one in (HOST_DISK_READ_SECONDS, HOST_DISK_WRITE_SECONDS))
    return seconds / requests if requests > 0 else 0.0
