"""Work on the host stands still for want of a resource.

What is seen
    ``host_pressure_some_seconds_total`` and ``_full_`` of CPU, memory and I/O.

What it means
    The kernel itself counts the time in which tasks could not go on: the surest sign that a resource is short,
    whichever program it is.

What answers it
    By resource: ``cpu.overcommit``; ``mem.overcommit``; ``host.iosched``. The other patterns tell who.

What would refute it
    The tasks that stand still are none of a guest's (``cpu.pressure`` and the like in the guests' cgroups near 0).

Sources
    * Linux, Documentation/accounting/psi.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.pressure import HOST_PRESSURE_FULL, HOST_PRESSURE_SOME

SOME = threshold("diag.host.pressure.some", 0.1, "s/s", "time in which at least one task stood still", most=1.0)
FULL = threshold("diag.host.pressure.full", 0.05, "s/s", "time in which all tasks stood still", most=1.0)

PATTERN = Pattern("diag.host.pressure", Severity.MEDIUM, ("cpu.overcommit", "mem.overcommit", "host.iosched"))


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    full = signals.some(HOST_PRESSURE_FULL)
    for resource, some in signals.parts(HOST_PRESSURE_SOME).items():
        all_stood = full[resource].mean if resource in full and resource != "cpu" else 0.0
        if some.mean >= SOME.default or all_stood >= FULL.default:
            yield Sign(
                saw=f"work stood still for {resource} {some.mean:.0%} of the time ({SOME.default:.0%}), all of it "
                f"{all_stood:.0%} ({FULL.default:.0%})",
                part=f"pressure/{resource}",
            )
