"""vCPUs leave the guest abnormally often.

What is seen
    ``kvm_vcpu_exits_total`` for each vCPU's second of run time.

What it means
    Each exit costs a microsecond or more: emulated devices, timers that are not paravirtual, or wake-ups to and
    fro.

What answers it
    ``net.model`` and ``disk.bus`` for emulated devices, ``win.hyperv`` and ``win.timers`` for Windows,
    ``dev.timer.linux``, ``kvm.halt_poll``.

What would refute it
    The exits are mostly halts of a guest with little to do, or packets of a NIC at its full rate.

Sources
    * Linux, arch/x86/kvm/x86.c: kvm_vcpu_stats_desc
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.kvm_exits import VCPU_EXITS, VCPU_HALT_EXITS
from kvmnb.measure.metrics.vcpu import VCPU_RUN

RATE = threshold(
    "diag.cpu.exits.rate", 50000.0, "exits/s", "exits for each second of run time from which they are abnormal"
)

PATTERN = Pattern(
    "diag.cpu.exits",
    Severity.MEDIUM,
    ("net.model", "disk.bus", "win.hyperv", "win.timers", "dev.timer.linux", "kvm.halt_poll"),
)


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    exits, halts = signals.total(VCPU_EXITS, guest), signals.total(VCPU_HALT_EXITS, guest)
    ran = signals.total(VCPU_RUN, guest)
    if ran > 0 and exits / max(ran, 0.1) >= RATE.default:
        yield Sign(
            saw=f"{exits:,.0f} exits/s over {ran:.2f} s/s of run time ({RATE.default:,.0f} for each second is much), "
            f"{halts / exits:.0%} of them halts"
        )
