"""A balloon takes memory from the guest that it may be short of.

What is seen
    ``currentMemory`` is less than ``memory``, in what runs or, of a guest that is off, in what its next start
    reads. That the guest is short is told by its own reports (usable below a tenth of available, or swapping
    inside); they are not read here, so this is said in a low voice.

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
from kvmnb.advise.mem.backing import of_qemu
from kvmnb.advise.mem.balloon import has_balloon
from kvmnb.advise.rule import Rule
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
    effect_basis="heuristic: the guest stops swapping, if it does",
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
    yield Seen(
        saw=f"the balloon leaves the guest {format_bytes(current)} of {format_bytes(layer.memory_bytes)} "
        f"({place}: currentMemory, memory)",
        severity=Severity.INFO,
        sure=Sure.LIKELY,
        safety=Safety.MANUAL,
        by_hand=(
            f"virsh dommemstat {shell_word(domain.name)}  # short where usable is below a tenth of available",
            f"virsh setmem {shell_word(domain.name)} {layer.memory_bytes // KIB} {flags}",
        ),
        note="load not measured: the guest's own reports about its memory were not read",
    )
