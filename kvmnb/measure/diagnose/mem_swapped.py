"""The host has swapped this guest's memory out, and the guest asks for it.

What is seen
    ``kvm_guest_swapped_bytes`` and ``kvm_guest_major_faults_total``.

What it means
    Each access to a page that is out waits for the swap device.

What answers it
    ``mem.swap``, ``mem.overcommit``; ``mem.locked`` where it must never happen.

What would refute it
    The faults are QEMU's own (a file read for the first time), right after its start.

Sources
    * proc(5), /proc/PID/status VmSwap and /proc/PID/stat majflt
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.guest_memory import GUEST_MAJOR_FAULTS, GUEST_SWAPPED

OUT = threshold("diag.mem.swapped.out", 16777216.0, "bytes", "memory of the guest in swap from which it matters")
FAULTS = threshold("diag.mem.swapped.faults", 1.0, "faults/s", "faults that wait for a disk")

PATTERN = Pattern("diag.mem.swapped", Severity.HIGH, ("mem.swap", "mem.overcommit", "mem.locked"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    out, faults = signals.total(GUEST_SWAPPED, guest), signals.total(GUEST_MAJOR_FAULTS, guest)
    if out >= OUT.default and faults >= FAULTS.default:
        yield Sign(
            saw=f"{out / 2**20:.0f} MiB of its memory are swapped out, and {faults:.1f} faults/s wait for a disk"
        )
