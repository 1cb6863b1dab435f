"""The host's CPUs are used up.

What is seen
    ``host_cpu_busy_seconds_total``, the mean over all online CPUs.

What it means
    No CPU is left for a guest that wakes up: whatever else is slow, run delay comes first.

What answers it
    Fewer vCPUs for each CPU, another host, or less work beside the guests: ``cpu.overcommit`` and
    ``cpu.vcpu.oversized``.

What would refute it
    The run delay of every guest near 0 over the same window: then the host is well used and nobody waits.

Sources
    * proc(5), /proc/stat
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY

BUSY = threshold(
    "diag.cpu.saturated.busy", 0.9, "s/s", "the mean over all CPUs from which the host counts as used up", most=1.0
)

PATTERN = Pattern("diag.cpu.saturated", Severity.HIGH, ("cpu.overcommit", "cpu.vcpu.oversized"))


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    busy = signals.mean(HOST_CPU_BUSY)
    if busy >= BUSY.default:
        yield Sign(
            saw=f"the host's CPUs are busy {busy:.0%} of the time in the mean ({BUSY.default:.0%} and more is used up)"
        )
