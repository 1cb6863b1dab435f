"""The guest uses all of its vCPUs, and nobody holds it back.

What is seen
    Every vCPU's run time, and its run delay.

What it means
    The guest computes. No setting of the host makes more CPU time; it needs more or faster vCPUs, or less work.

What answers it
    ``cpu.hotplug`` for more vCPUs, ``cpu.mode`` for the host's instructions, ``mem.hugepages.static`` where it
    walks much memory.

What would refute it
    Inside the guest the time is spent by one spinning program, which more vCPUs would only help to spin.

Sources
    * Linux, Documentation/scheduler/sched-stats.rst: run_delay of schedstat
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY

FULL = threshold(
    "diag.cpu.guest_bound.full", 0.9, "s/s", "the run time of every vCPU from which the guest is used up", most=1.0
)
DELAY = threshold("diag.cpu.guest_bound.delay", 0.02, "s/s", "run delay below which nobody holds it back", most=1.0)

PATTERN = Pattern("diag.cpu.guest_bound", Severity.LOW, ("cpu.hotplug", "cpu.mode", "mem.hugepages.static"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    least = min(span.mean for span in signals.parts(VCPU_RUN, guest).values())
    delay = signals.mean(VCPU_RUN_DELAY, guest)
    if least >= FULL.default and delay < DELAY.default:
        yield Sign(saw=f"every vCPU runs {least:.0%} of the time at least ({FULL.default:.0%}), and waits {delay:.1%}")
