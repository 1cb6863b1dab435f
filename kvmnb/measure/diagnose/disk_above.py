"""Requests wait above the host's disk.

What is seen
    The latency of a guest's requests against that of the host's block device below, and the time that QEMU's
    threads run.

What it means
    The device answers, and the time is lost above it: a full iothread or emulator thread, an image that allocates,
    a limit on the disk, or a thread that gets no CPU.

What answers it
    ``disk.iothread``, ``disk.iothread.vqmap``, ``cpu.pin.iothread`` where a thread is full; ``disk.qcow2.layout``,
    ``disk.io``, ``disk.iotune`` else.

What would refute it
    The disk has a limit that is meant (``virsh blkdeviotune``): then its queue is what is seen.

Sources
    * QEMU, block accounting: times include the queue in QEMU
    * Linux, Documentation/admin-guide/iostats.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.latency import SLOW, device_latency, latencies
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.thread import THREAD_RUN

SHARE = threshold(
    "diag.disk.above.share", 0.5, "of the latency", "the device's part below which the time is lost above it", most=1.0
)
FULL = threshold("diag.disk.above.full", 0.9, "s/s", "the run time from which a thread of QEMU is full", most=1.0)

PATTERN = Pattern(
    "diag.disk.above",
    Severity.MEDIUM,
    ("disk.iothread", "disk.iothread.vqmap", "cpu.pin.iothread", "disk.qcow2.layout", "disk.io", "disk.iotune"),
)


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    for disk, seen in latencies(signals, guest).items():
        device = signals.device_below(guest, disk)
        below = device_latency(signals, device)
        if seen >= SLOW.default and below < SHARE.default * seen:
            ran = {str(one): span.mean for one, span in signals.parts(THREAD_RUN, guest).items()}
            busiest = max(ran, key=lambda one: ran[one])
            full = "full" if ran[busiest] >= FULL.default else "not full: look for a limit, allocation or the cache"
            yield Sign(
                saw=f"a request of {disk} takes {seen * 1000:.1f} ms, and only {below * 1000:.1f} ms of it in {device} "
                f"below; the busiest of QEMU's threads, {busiest}, runs {ran[busiest]:.0%} of the time, {full}",
                part=f"disk/{disk}",
            )
