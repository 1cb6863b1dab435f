"""More memory is promised to running guests than the host has.

What is seen
    The memory of all running guests, with what QEMU needs beside it (3 per cent, at least 256 MiB each), and the
    host's own share are more than the memory outside the pools of hugepages. Guests in a pool do not count. It is
    grave where less than a tenth of the memory is available now, or tasks waited for memory more than 5 per cent of
    a minute.

Why it hurts
    A guest takes what it was promised sooner or later. Page cache and merged pages hide it until then; after that the
    host swaps guests, or kills one.

What to do
    Stop or move guests, lower what balloons leave them, or add memory. For density merged pages (mem.ksm) and free
    page reporting (mem.balloon.fpr) stretch it. Leave the host 2 GiB or 5 per cent, and 1 GiB for each node.

Leave it when
    You promise memory twice on purpose, watch it, and have a way out: swap that is fast, or guests that can move.

Cost
    Nothing is changed from here. A smaller balloon target works at once; moving a guest interrupts it for a moment.
    Durability: a killed guest loses what it had not written. Migration: the other host needs the memory. Security:
    none.

Look by hand
    ``virsh nodememstats``; ``cat /proc/pressure/memory``; ``virsh dominfo GUEST`` for each (Max memory)

Measure it
    MemAvailable stays above a tenth, and full in ``/proc/pressure/memory`` near 0.

Sources
    * Linux documentation, Pressure Stall Information
    * libvirt, Domain XML format, Memory Allocation
    * Red Hat Enterprise Linux 10, Configuring and managing virtualization (overcommitting)
    * The host's share, QEMU's share, a tenth and 5 per cent are heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import HOST_LEAST as HOST_LEAST
from kvmnb.advise.mem.backing import HOST_NODE as HOST_NODE
from kvmnb.advise.mem.backing import HOST_PART as HOST_PART
from kvmnb.advise.mem.backing import host_reserve, running
from kvmnb.advise.mem.pages import pool_bytes
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import MIB, format_bytes

RULE = Rule(
    id="mem.overcommit",
    severity=Severity.HIGH,
    goals=(Goal.BALANCED, Goal.DENSITY, Goal.LATENCY),
    basis="heuristic",
    effect=Effect.LARGE,
    effect_basis="heuristic: it keeps guests from swap and from the kernel's killer",
)

OVERHEAD = Threshold(
    name="mem.overcommit.overhead",
    default=256 * MIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="what QEMU needs at least for each guest beside the guest's memory",
)
OVERHEAD_PER_CENT = Threshold(
    name="mem.overcommit.overhead_part",
    default=3,
    unit="%",
    least=0,
    most=1000,
    meaning="what QEMU needs for each guest, as a part of the guest's memory",
)
AVAILABLE = Threshold(
    name="mem.overcommit.available",
    default=10.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="with a smaller part of the memory available it is grave",
)
WAITING = Threshold(
    name="mem.overcommit.waiting",
    default=5.0,
    unit="% of a minute",
    least=0.0,
    most=100.0,
    meaning="with some task waiting for memory longer it is grave",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where running guests and the host together may want more than there is."""
    guests = [(domain, layer) for domain, layer in running(view) if not layer.memory_backing.hugepages]
    if not guests:
        return
    kernel = view.host.kernel
    promised = sum(layer.memory_bytes for _, layer in guests)
    least, part = view.value(OVERHEAD), view.value(OVERHEAD_PER_CENT)
    overhead = sum(max(least, layer.memory_bytes * part // 100) for _, layer in guests)
    reserve, pools = host_reserve(view), pool_bytes(view.host)
    if promised + overhead + reserve <= kernel.memory_bytes - pools:
        return
    signs = list(_signs(view))
    largest = sorted(guests, key=lambda one: -one[1].memory_bytes)[:3]
    yield Seen(
        saw=f"{len(guests)} running guests are promised {format_bytes(promised)}, QEMU may need "
        f"{format_bytes(overhead)} and the host {format_bytes(reserve)}; it has "
        f"{format_bytes(kernel.memory_bytes)} less {format_bytes(pools)} in pools of hugepages "
        "(live XML: memory; /proc/meminfo)" + "".join(signs),
        severity=None if signs else Severity.INFO,
        safety=Safety.MANUAL,
        by_hand=(
            "Stop or move a guest, or give one less: virsh setmem GUEST SIZE --live --config. The largest are:",
            *(f"{domain.name!r}: {format_bytes(layer.memory_bytes)}" for domain, layer in largest),
        ),
        note=None if signs else "there is enough memory now; it is short once the guests use what they were promised",
        subject="memory",
    )


def _signs(view: View) -> Iterator[str]:
    """What shows that memory is short now."""
    kernel = view.host.kernel
    available = kernel.available_bytes
    if available is not None and available * 100 < view.value(AVAILABLE) * kernel.memory_bytes:
        yield f"; only {format_bytes(available)} are available now"
    for one in kernel.pressures:
        if one.resource == "memory" and one.some_avg60 > view.value(WAITING):
            yield f"; tasks waited for memory {one.some_avg60:g} % of the last minute (/proc/pressure/memory)"
