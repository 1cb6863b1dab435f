"""This host is a guest itself, and its hypervisor takes its CPUs.

What is seen
    ``host_cpu_steal_seconds_total``, the mean and the worst CPU.

What it means
    What runs below gives these CPUs to somebody else; every guest here loses that time, and no setting on this host
    brings it back.

What answers it
    Nothing here: the owner of the hypervisor below. ``cpu.overcommit`` tells how many vCPUs this host carries.

What would refute it
    No steal inside this host over the same window (``vmstat``, column st).

Sources
    * proc(5), /proc/stat, column steal
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_cpu import HOST_CPU_STEAL

STEAL = threshold(
    "diag.cpu.steal.share", 0.02, "s/s", "the mean over all CPUs from which stolen time is felt", most=1.0
)

PATTERN = Pattern("diag.cpu.steal", Severity.HIGH, ("cpu.overcommit",))


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    steal = signals.parts(HOST_CPU_STEAL)
    mean = signals.mean(HOST_CPU_STEAL)
    worst = max(steal, key=lambda cpu: steal[cpu].mean)
    if mean >= STEAL.default:
        yield Sign(
            saw=f"{mean:.1%} of each CPU is stolen in the mean ({STEAL.default:.0%} is felt), "
            f"of CPU {worst} {steal[worst].mean:.1%}",
            culprits=("the hypervisor below this host",),
        )
