"""A vhost worker of the guest is used up.

What is seen
    ``kvm_thread_run_seconds_total`` and ``kvm_thread_run_delay_seconds_total`` of its vhost workers.

What it means
    One worker carries one pair of queues; at its limit packets wait or are dropped at the tap.

What answers it
    ``net.queues``, ``net.offload.guest``, ``net.sriov``, ``cpu.pin.emulator``.

What would refute it
    The packets are small and many by nature (a flood), and the guest does not ask for more.

Sources
    * Linux, drivers/vhost: one worker for each device's queue pair
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.thread import THREAD_RUN, THREAD_RUN_DELAY

FULL = threshold(
    "diag.net.vhost.full", 0.9, "s/s", "run time and run delay of a worker from which it is used up", most=1.0
)

PATTERN = Pattern(
    "diag.net.vhost", Severity.MEDIUM, ("net.queues", "net.offload.guest", "net.sriov", "cpu.pin.emulator")
)


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    delays = signals.parts(THREAD_RUN_DELAY, guest)
    for name, ran in signals.parts(THREAD_RUN, guest).items():
        delay = delays[name].mean if name in delays else 0.0
        if str(name).startswith("vhost") and ran.mean + delay >= FULL.default:
            yield Sign(
                saw=f"{name} runs {ran.mean:.0%} of the time and waits {delay:.0%} for a CPU", part=f"thread/{name}"
            )
