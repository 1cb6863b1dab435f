"""A busy guest with much memory has no static hugepages.

What is seen
    ``kvm_guest_hugepage_bytes`` against ``kvm_guest_resident_bytes``, and the run time of the vCPUs.

What it means
    A guest that walks much memory in pages of 4 KiB spends time on page tables, host's and guest's together.
    Transparent hugepages may have taken its place; these series do not tell them apart.

What answers it
    ``mem.hugepages.static``, ``mem.thp``.

What would refute it
    ``AnonHugePages`` in ``/proc/QEMU/smaps_rollup`` near the guest's memory, or few dTLB misses (``perf stat -e
    dTLB-load-misses``).

Sources
    * Linux, Documentation/admin-guide/mm/transhuge.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.guest_memory import GUEST_HUGEPAGES, GUEST_RESIDENT
from kvmnb.measure.metrics.vcpu import VCPU_RUN

LARGE = threshold("diag.mem.tlb.large", 4294967296.0, "bytes", "resident memory from which page tables are felt")
SMALL = threshold(
    "diag.mem.tlb.small", 0.2, "of its memory", "memory outside static hugepages that is let pass", most=1.0
)
BUSY = threshold("diag.mem.tlb.busy", 0.5, "s/s", "mean run time of a vCPU below which it does not matter", most=1.0)

PATTERN = Pattern("diag.mem.tlb", Severity.LOW, ("mem.hugepages.static", "mem.thp"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    huge, other = signals.total(GUEST_HUGEPAGES, guest), signals.total(GUEST_RESIDENT, guest)
    busy = signals.mean(VCPU_RUN, guest)
    if other + huge >= LARGE.default and other / (other + huge) > SMALL.default and busy >= BUSY.default:
        yield Sign(
            saw=f"{other / 2**30:.1f} GiB of {(other + huge) / 2**30:.1f} GiB lie outside static hugepages, its "
            f"vCPUs run {busy:.0%} of the time; whether transparent hugepages hold it these series do not tell"
        )
