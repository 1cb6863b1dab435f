"""One CPU of the host takes nearly all packets.

What is seen
    ``host_softnet_packets_total`` of each CPU, and that CPU's time in soft interrupts.

What it means
    The NIC has one queue, its queues share one CPU, or one flow is all there is.

What answers it
    ``cpu.irq.affinity``, ``net.queues``, ``net.offload.host``.

What would refute it
    There is a single flow: one connection stays on one queue whatever is set.

Sources
    * Linux, Documentation/networking/scaling.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_cpu import HOST_CPU_SOFTIRQ
from kvmnb.measure.metrics.host_nic import HOST_SOFTNET

SHARE = threshold(
    "diag.net.single_queue.share", 0.8, "of the packets", "the part of one CPU from which it takes nearly all", most=1.0
)
SOFT = threshold(
    "diag.net.single_queue.soft", 0.5, "s/s", "that CPU's time in soft interrupts from which it is a limit", most=1.0
)

PATTERN = Pattern("diag.net.single_queue", Severity.MEDIUM, ("cpu.irq.affinity", "net.queues", "net.offload.host"))


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    packets = {cpu: span.mean for cpu, span in signals.parts(HOST_SOFTNET).items()}
    soft = signals.parts(HOST_CPU_SOFTIRQ)
    most = max(packets, key=lambda cpu: packets[cpu])
    total = sum(packets.values())
    busy = soft[most].mean if most in soft else 0.0
    if len(packets) > 1 and total > 0 and packets[most] / total >= SHARE.default and busy >= SOFT.default:
        yield Sign(
            saw=f"CPU {most} takes {packets[most] / total:.0%} of {total:,.0f} packets/s ({SHARE.default:.0%}), and is "
            f"{busy:.0%} of the time in soft interrupts ({SOFT.default:.0%})",
            part=f"cpu/{most}",
        )
