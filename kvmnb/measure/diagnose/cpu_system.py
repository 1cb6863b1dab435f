"""The host's CPUs work for the kernel rather than for programs.

What is seen
    ``host_cpu_system``, ``_irq`` and ``_softirq`` against ``host_cpu_busy``, and the greater of both parts.

What it means
    Much time in soft interrupts is packets; much in the kernel is exits of guests, copying of packets and page
    faults, or a great many context switches. Halt polling shows as system time too.

What answers it
    Soft interrupts: ``net.offload.guest``, ``net.queues``, ``cpu.irq.affinity``. The kernel: ``net.model`` and
    ``disk.bus`` (emulated devices), ``kvm.halt_poll``.

What would refute it
    The exits of all guests low, few packets, and the time gone when one host process is stopped: then it is that
    process.

Sources
    * proc(5), /proc/stat
    * Linux, Documentation/virt/kvm/halt-polling.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_cpu import (
    HOST_CPU_BUSY,
    HOST_CPU_IRQ,
    HOST_CPU_SOFTIRQ,
    HOST_CPU_SYSTEM,
    HOST_SWITCHES,
)

SHARE = threshold(
    "diag.cpu.system.share",
    0.3,
    "of the busy time",
    "the kernel's part of the busy time from which it is much",
    most=1.0,
)
BUSY = threshold(
    "diag.cpu.system.busy", 0.1, "s/s", "the kernel's time for each CPU below which its part does not matter", most=1.0
)

PATTERN = Pattern(
    "diag.cpu.system",
    Severity.MEDIUM,
    ("net.model", "disk.bus", "kvm.halt_poll", "net.offload.guest", "net.queues", "cpu.irq.affinity"),
)


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    busy = signals.mean(HOST_CPU_BUSY)
    system = signals.mean(HOST_CPU_SYSTEM)
    soft = signals.mean(HOST_CPU_SOFTIRQ) + signals.mean(HOST_CPU_IRQ)
    if system + soft < max(BUSY.default, SHARE.default * busy):
        return
    most = "interrupts and packets" if soft > system else "system calls, exits and faults"
    switches = signals.total(HOST_SWITCHES)
    yield Sign(
        saw=f"the kernel takes {(system + soft) / busy:.0%} of the busy time ({SHARE.default:.0%} is much): "
        f"{system:.0%} of each CPU in calls and exits, {soft:.0%} in interrupts, mostly {most}; "
        f"{switches:,.0f} context switches/s"
    )
