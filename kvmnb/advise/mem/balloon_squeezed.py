"""A balloon takes memory from the guest that it may be short of.

What is seen
    ``currentMemory`` is less than ``memory``, in what runs or, of a guest that is off, in what its next start
    reads. That alone is said in a low voice. Over a window the guest's own reports are read: it is short where less
    than a tenth of its memory is usable, or where it reads back from its swap.

Why it hurts
    The guest was started with all of its memory and the balloon holds the rest. A guest that is short drops its page
    cache, swaps and at last kills programs, while the host may have memory to spare. Equal numbers in the XML do not
    promise that they stay equal: whoever may talk to libvirt can inflate the balloon.

What to do
    Look whether it is short; if so give it back: ``virsh setmem GUEST SIZE --live --config``. For memory that is to
    stay (hugepages, real time, devices of the host) choose no balloon at all, if you can do without its reports.

Leave it when
    The balloon is how you share memory out, and the guest has enough.

Cost
    Works at once, needs no restart; the host must have the memory. Durability: none. Migration: none. Security: none.

Look by hand
    ``virsh dommemstat GUEST``: actual, usable, available, swap_in

Measure it
    actual is the maximum, and swap_in stands still.

Sources
    * libvirt, Domain XML format, Memory Allocation (currentMemory)
    * libvirt, Real time KVM (no balloon)
    * A tenth of available is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, brief, joined, over, seen_guest
from kvmnb.advise.mem.backing import of_qemu
from kvmnb.advise.mem.balloon import has_balloon
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import KIB, format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="mem.balloon.squeezed",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="heuristic: the guest stops swapping, if it does",
)

USABLE = Threshold(
    name="mem.balloon.squeezed.usable",
    default=10.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a guest that can use less of its memory is short",
)
LONG = Threshold(
    name="mem.balloon.squeezed.window",
    default=60,
    unit="s",
    least=1,
    most=3600,
    meaning="a shorter window may show a burst",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the balloon leaves the guest less than its memory."""
    layer = domain.live if domain.running and domain.live is not None else domain.wanted
    current = layer.tuning.memory.current_bytes
    if not of_qemu(layer) or not has_balloon(layer) or current is None or current >= layer.memory_bytes:
        return
    place = "live XML" if domain.running else "persistent XML"
    flags = " ".join(
        flag for flag, fits in (("--live", domain.running), ("--config", domain.inactive is not None)) if fits
    )
    severity, sure, note = _short(domain, view)
    yield Seen(
        saw=f"the balloon leaves the guest {format_bytes(current)} of {format_bytes(layer.memory_bytes)} "
        f"({place}: currentMemory, memory)",
        severity=severity,
        sure=sure,
        safety=Safety.MANUAL,
        by_hand=(
            f"virsh dommemstat {shell_word(domain.name)}  # short where usable is below a tenth of available",
            f"virsh setmem {shell_word(domain.name)} {layer.memory_bytes // KIB} {flags}",
        ),
        note=note,
    )


def _short(domain: Domain, view: View) -> tuple[Severity | None, Sure, str]:
    """How grave and how sure it is, by the guest's own reports."""
    load = seen_guest(view, domain)
    told = ("memory_usable_ratio", "swapped_in_bytes_per_second")
    if load is None or any(load.gap_of(one) is not None for one in told):
        return Severity.INFO, Sure.LIKELY, f"{NOT_MEASURED}: the guest's own reports about its memory were not read"
    usable, swapped = load.memory_usable_ratio, load.swapped_in_bytes_per_second
    if usable is None and swapped is None:
        return Severity.INFO, Sure.LIKELY, f"{NOT_MEASURED}: the guest's balloon reported nothing (mem.balloon.stats)"
    note = joined(
        None if usable is None else f"{usable:.0%} of its memory is usable without swapping",
        None if swapped is None else f"it reads {format_bytes(int(swapped))}/s back from its swap {over(view)}",
        brief(view, LONG),
    )
    short = bool(swapped) or (usable is not None and usable * 100 < view.value(USABLE))
    return None if short else Severity.INFO, Sure.CERTAIN, note
