"""Writes wait for flushes.

What is seen
    ``kvm_disk_flush_seconds_total`` for each flush, and flushes for each write.

What it means
    A database or a journal waits until its data is safe, and the device or the host's cache takes long to make it
    so.

What answers it
    ``disk.cache``, ``host.blk.write_cache``, ``mem.writeback_dirty``; media that keep their cache without power.
    Never ``unsafe``.

What would refute it
    The flushes are few and of one program that may wait, such as a backup.

Sources
    * Linux, Documentation/block/writeback_cache_control.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.guest_disk import DISK_FLUSH_SECONDS, DISK_FLUSHES, DISK_WRITES

TAKES = threshold("diag.disk.flush.takes", 0.01, "s", "the time of a flush from which it is long")
OFTEN = threshold("diag.disk.flush.often", 0.2, "of the writes", "flushes for each write from which they count")

PATTERN = Pattern("diag.disk.flush", Severity.MEDIUM, ("disk.cache", "host.blk.write_cache", "mem.writeback_dirty"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    writes, seconds = signals.parts(DISK_WRITES, guest), signals.parts(DISK_FLUSH_SECONDS, guest)
    for disk, flushes in signals.parts(DISK_FLUSHES, guest).items():
        each = seconds[disk].mean / flushes.mean if flushes.mean > 0 else 0.0
        if each >= TAKES.default and flushes.mean >= OFTEN.default * writes[disk].mean:
            yield Sign(
                saw=f"{flushes.mean:.1f} flushes of {disk} a second take {1000 * each:.1f} ms each "
                f"({TAKES.default * 1000:g} ms is long) beside {writes[disk].mean:.1f} writes/s",
                part=f"disk/{disk}",
            )
