"""One vCPU is used up while the others idle.

What is seen
    ``kvm_vcpu_run_seconds_total`` of each vCPU of a guest.

What it means
    The work is not parallel, or one vCPU serves all interrupts because a NIC or a disk has one queue. More vCPUs
    would not help.

What answers it
    ``net.queues`` and ``disk.queues`` where interrupts are the work; else ``cpu.vcpu.oversized``, or the program.

What would refute it
    Inside the guest another vCPU is busy at other times (``mpstat -P ALL 1``), or the load moves on.

Sources
    * Linux, drivers/net/virtio_net.c: one vector for each queue
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.vcpu import VCPU_RUN

FULL = threshold("diag.cpu.single_vcpu.full", 0.95, "s/s", "the run time from which a vCPU is used up", most=1.0)
IDLE = threshold("diag.cpu.single_vcpu.idle", 0.2, "s/s", "the median of the others below which they idle", most=1.0)

PATTERN = Pattern("diag.cpu.single_vcpu", Severity.MEDIUM, ("net.queues", "disk.queues", "cpu.vcpu.oversized"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    ran = {number: span.mean for number, span in signals.parts(VCPU_RUN, guest).items()}
    most = max(ran, key=lambda number: ran[number])
    others = [share for number, share in ran.items() if number != most]
    if others and ran[most] >= FULL.default and median(others) < IDLE.default:
        yield Sign(
            saw=f"vCPU {most} runs {ran[most]:.0%} of the time, the others {median(others):.0%} in the median",
            part=f"vcpu/{most}",
        )
