"""The host burns CPU time polling for an idle guest.

What is seen
    ``kvm_vcpu_halt_poll_fail_seconds_total``, and the guest's run time.

What it means
    KVM polled before it put the vCPU to sleep, and nothing came. It reads as system time of the host while the
    guest idles.

What answers it
    ``kvm.halt_poll``: a smaller ``halt_poll_ns``.

What would refute it
    Latency is what counts on this host, and the CPU time would be idle otherwise.

Sources
    * Linux, Documentation/virt/kvm/halt-polling.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.kvm_exits import VCPU_POLLED_IN_VAIN

BURNT = threshold("diag.cpu.halt_poll.burnt", 0.1, "s/s", "time polled in vain for one guest", most=64.0)

PATTERN = Pattern("diag.cpu.halt_poll", Severity.LOW, ("kvm.halt_poll",))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    burnt = signals.total(VCPU_POLLED_IN_VAIN, guest)
    if burnt >= BURNT.default:
        yield Sign(saw=f"KVM polls {burnt:.2f} s/s in vain for this guest ({BURNT.default:.1f} s/s is much)")
