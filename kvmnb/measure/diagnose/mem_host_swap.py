"""The host swaps or stands still for memory.

What is seen
    ``host_swap_in_bytes_total`` and ``host_pressure_full_seconds_total`` of memory.

What it means
    A vCPU whose memory is swapped out stands still until the disk answers, and nothing inside the guest shows why.

What answers it
    ``mem.overcommit``, ``mem.swap``, ``mem.swappiness``, ``numa.zone_reclaim``.

What would refute it
    What is swapped in belongs to no guest (VmSwap of each QEMU at 0), and the pressure is near 0.

Sources
    * Linux, Documentation/accounting/psi.rst
    * Linux, Documentation/filesystems/proc.rst: pswpin
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_memory import HOST_SWAP_IN
from kvmnb.measure.metrics.pressure import HOST_PRESSURE_FULL

BACK = threshold(
    "diag.mem.host_swap.back", 1048576.0, "bytes/s", "memory read back from swap from which it is more than stray pages"
)
STALL = threshold("diag.mem.host_swap.stall", 0.01, "s/s", "time in which all stood still for memory", most=1.0)

PATTERN = Pattern(
    "diag.mem.host_swap", Severity.HIGH, ("mem.overcommit", "mem.swap", "mem.swappiness", "numa.zone_reclaim")
)


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    back = signals.total(HOST_SWAP_IN)
    stall = signals.one(HOST_PRESSURE_FULL, part="memory").mean
    if back >= BACK.default or stall >= STALL.default:
        yield Sign(
            saw=f"{back / 2**20:.1f} MiB/s are read back from swap ({BACK.default / 2**20:.0f} MiB/s is much), and all "
            f"work stood still for memory {stall:.1%} of the time ({STALL.default:.0%})"
        )
