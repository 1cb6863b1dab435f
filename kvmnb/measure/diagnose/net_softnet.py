"""The host's CPUs do not keep up with packets.

What is seen
    ``host_softnet_dropped_packets_total`` and ``host_softnet_squeezes_total`` of each CPU.

What it means
    The backlog of a CPU was full, or its budget was used up before its packets were.

What answers it
    ``net.sysctl.backlog``, ``cpu.irq.affinity``, ``net.offload.host``.

What would refute it
    Squeezes without drops and with a low soft interrupt time: then the budget is merely reached now and then.

Sources
    * Linux, Documentation/admin-guide/sysctl/net.rst: netdev_max_backlog, netdev_budget
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_nic import HOST_SOFTNET_DROPS, HOST_SOFTNET_SQUEEZES

LOST = threshold("diag.net.softnet.lost", 0.1, "packets/s", "packets dropped by one CPU")
SQUEEZED = threshold("diag.net.softnet.squeezed", 100.0, "squeezes/s", "how often one CPU ran out of its budget")

PATTERN = Pattern("diag.net.softnet", Severity.MEDIUM, ("net.sysctl.backlog", "cpu.irq.affinity", "net.offload.host"))


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    squeezes = signals.parts(HOST_SOFTNET_SQUEEZES)
    for cpu, lost in signals.parts(HOST_SOFTNET_DROPS).items():
        squeezed = squeezes[cpu].mean if cpu in squeezes else 0.0
        if lost.mean >= LOST.default or squeezed >= SQUEEZED.default:
            yield Sign(
                saw=f"CPU {cpu} drops {lost.mean:.1f} packets/s and runs out of its budget {squeezed:.0f} times/s",
                part=f"cpu/{cpu}",
            )
