"""The host's disk is what the guest waits for.

What is seen
    The latency of a guest's requests against that of the host's block device below.

What it means
    Nearly all of the time is spent in the device: its media, its queue, or others that use it.

What answers it
    ``host.iosched``, ``disk.cache``; else faster media or fewer users of it.

What would refute it
    The device answers fast to another reader at the same time (``iostat -x 1``), or the guest's image lies
    elsewhere.

Sources
    * Linux, Documentation/admin-guide/iostats.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.latency import SLOW, device_latency, latencies
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals

SHARE = threshold("diag.disk.device.share", 0.8, "of the latency", "the device's part from which it is the limit")

PATTERN = Pattern("diag.disk.device", Severity.MEDIUM, ("host.iosched", "disk.cache"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    for disk, seen in latencies(signals, guest).items():
        device = signals.device_below(guest, disk)
        below = device_latency(signals, device)
        if seen >= SLOW.default and below >= SHARE.default * seen:
            yield Sign(
                saw=f"a request of {disk} takes {seen * 1000:.1f} ms, and {below * 1000:.1f} ms of it in {device} "
                f"({SHARE.default:.0%} and more is the device's)",
                part=f"disk/{disk}",
            )
