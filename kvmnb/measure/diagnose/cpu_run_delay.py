"""vCPUs are ready to run and have no CPU.

What is seen
    ``kvm_vcpu_run_delay_seconds_total`` for each vCPU, less the time that a quota of the guest's own held it back.

What it means
    Somebody else runs where the vCPU waits; inside the guest it reads as steal. Latency of everything else grows
    with it.

What answers it
    ``cpu.overcommit``, ``cpu.pin.overlap``, ``cpu.isolation.floating``; the matrix of neighbours names who takes
    the CPU.

What would refute it
    Steal inside the guest (``vmstat``, column st) at 0 over the same window.

Sources
    * Linux, Documentation/scheduler/sched-stats.rst: run_delay of schedstat
    * libvirt, src/qemu/qemu_driver.c: vcpu.<n>.delay is the same figure
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.quota import GUEST_THROTTLED
from kvmnb.measure.metrics.vcpu import VCPU_RUN_DELAY

DELAY = threshold("diag.cpu.run_delay.delay", 0.05, "s/s", "run delay of one vCPU from which it hurts", most=1.0)
GRAVE = threshold("diag.cpu.run_delay.grave", 0.3, "s/s", "run delay of one vCPU from which it is grave", most=1.0)

PATTERN = Pattern(
    "diag.cpu.run_delay", Severity.MEDIUM, ("cpu.overcommit", "cpu.pin.overlap", "cpu.isolation.floating")
)


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    delays = signals.parts(VCPU_RUN_DELAY, guest)
    held = signals.some(GUEST_THROTTLED, guest)
    whole = held["guest"].mean / len(delays) if "guest" in held else 0.0
    own = {number: held[f"vcpu{number}"].mean if f"vcpu{number}" in held else whole for number in delays}
    waits = {number: max(0.0, span.mean - own[number]) for number, span in delays.items()}
    worst = max(waits, key=lambda number: waits[number])
    quota = "what its own quota held back is taken out" if held else "no quota of its own was seen"
    if waits[worst] >= DELAY.default:
        yield Sign(
            saw=f"vCPU {worst} waits {waits[worst]:.0%} of the time for a CPU ({DELAY.default:.0%} hurts), "
            f"all {len(waits)} together {sum(waits.values()):.2f} s/s; {quota}",
            severity=Severity.HIGH if waits[worst] >= GRAVE.default else None,
            culprits=signals.takers(guest),
        )
