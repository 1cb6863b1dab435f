"""The host's CPUs idle while something waits for a disk.

What is seen
    ``host_cpu_iowait_seconds_total`` together with the pressure of I/O.

What it means
    Programs or QEMU wait for a device. The kernel itself calls the CPU's share unreliable, so it counts only where
    the pressure says the same.

What answers it
    ``host.iosched``, ``disk.cache`` and ``disk.io``; `diag.disk.device` and `diag.disk.above` tell which layer.

What would refute it
    The pressure of I/O near 0, or the waiting program is none that a guest needs, such as a backup.

Sources
    * Linux, Documentation/filesystems/proc.rst: iowait is not reliable
    * Linux, Documentation/accounting/psi.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_cpu import HOST_CPU_IOWAIT
from kvmnb.measure.metrics.pressure import HOST_PRESSURE_SOME

WAIT = threshold("diag.cpu.iowait.share", 0.1, "s/s", "idle time with a request open, for each CPU", most=1.0)
STALL = threshold("diag.cpu.iowait.stall", 0.1, "s/s", "time in which something stood still for I/O", most=1.0)

PATTERN = Pattern("diag.cpu.iowait", Severity.MEDIUM, ("host.iosched", "disk.cache", "disk.io"))


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    waits = signals.mean(HOST_CPU_IOWAIT)
    stalls = signals.one(HOST_PRESSURE_SOME, part="io").mean
    if waits >= WAIT.default and stalls >= STALL.default:
        yield Sign(
            saw=f"CPUs wait for disks {waits:.0%} of the time ({WAIT.default:.0%}), and something stood still for I/O "
            f"{stalls:.0%} of the time ({STALL.default:.0%})"
        )
