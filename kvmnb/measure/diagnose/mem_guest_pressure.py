"""The guest is short of memory and swaps inside.

What is seen
    What its balloon driver tells: ``kvm_guest_balloon_usable_bytes`` against ``kvm_guest_balloon_bytes``, and what
    it swaps in.

What it means
    The guest's system reads back from its own swap: on the host it looks like a slow disk.

What answers it
    ``mem.balloon.squeezed`` (the balloon took too much), ``mem.balloon.stats``; else more memory.

What would refute it
    Inside the guest ``free`` shows memory, and the figures are old (the balloon's period).

Sources
    * QEMU, docs/interop/virtio-balloon-stats.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.guest_memory import (
    GUEST_BALLOON,
    GUEST_BALLOON_USABLE,
    GUEST_INNER_MAJOR_FAULTS,
    GUEST_SWAP_IN,
)

LEFT = threshold(
    "diag.mem.guest_pressure.left",
    0.1,
    "of its memory",
    "memory that is still usable below which it is short",
    most=1.0,
)
FAULTS = threshold(
    "diag.mem.guest_pressure.faults", 100.0, "faults/s", "faults inside the guest that wait for its disk"
)

PATTERN = Pattern("diag.mem.guest_pressure", Severity.HIGH, ("mem.balloon.squeezed", "mem.balloon.stats"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    has, left = signals.total(GUEST_BALLOON, guest), signals.total(GUEST_BALLOON_USABLE, guest)
    back, faults = signals.total(GUEST_SWAP_IN, guest), signals.total(GUEST_INNER_MAJOR_FAULTS, guest)
    if has > 0 and left / has < LEFT.default and (back > 0 or faults >= FAULTS.default):
        yield Sign(
            saw=f"{left / has:.0%} of its memory is still usable ({LEFT.default:.0%} is short); it swaps in "
            f"{back / 2**20:.1f} MiB/s and waits for {faults:.0f} faults/s"
        )
