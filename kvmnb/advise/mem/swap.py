"""Part of a guest's memory lies in the host's swap.

What is seen
    The process of a running guest has more than 64 MiB, or more than one per cent of the guest's memory, in swap
    (VmSwap). Whether it is being read back now is a rate, which a window shows: pages that nobody has touched for days
    do no harm there.

Why it hurts
    The guest believes that it is in memory. Touching it stops the vCPU for a read from disk, inside an instruction,
    and nothing in the guest explains it.

What to do
    First find out why memory was short (mem.overcommit) and mend that. Then bring it back: with enough memory
    available ``swapoff -a && swapon -a``, or a restart of the guest. Keep a guest that matters out of it with
    MemoryLow for its scope, or hugepages.

Leave it when
    The swap is zram or zswap on a dense host, and guests are not in a hurry.

Cost
    swapoff reads it all back while the guests wait for it, and the kernel kills if it does not fit. Durability: none
    else. Migration: sending swapped memory is slow. Security: guest memory on a disk, unless the swap is encrypted.

Look by hand
    ``grep VmSwap /proc/PID/status`` of each guest; ``swapon --show``; pswpin in ``/proc/vmstat`` twice

Measure it
    VmSwap of all guests falls to 0 and stays there; pswpin stands still.

Sources
    * Linux documentation, sysctl vm
    * libvirt, Domain XML format, Memory Backing (locked)
    * 64 MiB and one per cent are heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.load import NOT_MEASURED, over
from kvmnb.advise.mem.backing import running
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.advise.voice import Voice
from kvmnb.core.units import MIB, format_bytes

RULE = Rule(
    id="mem.swap",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="heuristic: waits of milliseconds for memory end",
    voices={Overlay.SECURITY: Voice(why="the memory of guests lies readable on the disk, unless swap is encrypted")},
)

MANY_BYTES = Threshold(
    name="mem.swap.bytes",
    default=64 * MIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="more of a guest in swap is worth a word",
)
PART = Threshold(
    name="mem.swap.part",
    default=1.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a larger part of a guest's memory in swap is worth a word",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """One finding that names all guests with memory in swap."""
    swapped: list[tuple[int, str]] = []
    many, part = view.value(MANY_BYTES), view.value(PART)
    for domain, layer in running(view):
        state = domain.running_state
        if state is None:
            continue
        size = state.swapped_bytes
        if size > many or size * 100 > part * layer.memory_bytes:
            swapped.append((size, f"{domain.name!r} {format_bytes(size)} of {format_bytes(layer.memory_bytes)}"))
    if not swapped:
        return
    swapped.sort(reverse=True)
    total = sum(size for size, _ in swapped)
    kernel = view.host.kernel
    read_back = view.load.swapped_in_pages_per_second if view.load is not None else None
    areas = ", ".join(f"{one.device}{' (zram)' if one.zram else ''}" for one in kernel.swaps) or "no area in use now"
    yield Seen(
        saw=f"guests have memory in the host's swap: {'; '.join(words for _, words in swapped)} (VmSwap in "
        f"/proc/PID/status); swap is {areas}",
        severity=Severity.MEDIUM if read_back == 0 else None,
        sure=Sure.CERTAIN if read_back else Sure.LIKELY,
        safety=Safety.MANUAL,
        by_hand=(
            f"Make sure that at least {format_bytes(total)} more than the host needs are available (free -h), then:",
            "sudo swapoff -a && sudo swapon -a",
            "or shut the guest down and start it; then see mem.overcommit, so that it does not come back.",
        ),
        note=f"{NOT_MEASURED}: whether the guests read it back now (pswpin) was not seen"
        if read_back is None
        else f"the host read back {read_back:.1f} pages/s {over(view)} (/proc/vmstat, pswpin)",
        subject="swap",
    )
