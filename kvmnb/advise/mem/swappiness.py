"""The host prefers swapping guests to dropping page cache.

What is seen
    ``vm.swappiness`` is 60 or more, an area of swap is on a disk, and neither zram nor zswap is in use. The
    configuration alone shows it.

Why it hurts
    The memory of guests is anonymous memory, just what a high value sends to swap first, in order to keep files of
    the host in page cache, which hardly any guest waits for.

What to do
    Set 10, as TuneD's throughput-performance and virtual-host do. 0 does not switch swap off, it only makes it the
    last way out. To last: ``vm.swappiness = 10`` in ``/etc/sysctl.d/99-local.conf``.

Leave it when
    Swap is compressed memory (zram, zswap): then values up to 200 may be right.

Cost
    Works at once, needs no restart, lasts until the next boot. Less page cache when memory is short. Durability:
    none. Migration: none. Security: none.

Look by hand
    ``sysctl vm.swappiness``; ``swapon --show``; ``cat /sys/module/zswap/parameters/enabled``

Measure it
    pswpout in ``/proc/vmstat`` twice while memory is short.

Sources
    * Linux documentation, sysctl vm (swappiness)
    * TuneD, profile throughput-performance
    * That 60, the kernel's default, is too much for a host of guests is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import owner_note
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="mem.swappiness",
    severity=Severity.LOW,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented, heuristic",
    effect=Effect.SMALL,
    effect_basis="documented: fewer faults once memory is short, nothing before",
)

HIGH = Threshold(
    name="mem.swappiness.high",
    default=60,
    unit="(no unit)",
    least=1,
    most=200,
    meaning="from this value on swapping is preferred: the kernel's default and above",
)
# TuneD, profile throughput-performance.
BETTER = "10"
_KEY = "vm.swappiness"


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where swap on a disk is preferred."""
    kernel = view.host.kernel
    value = kernel.sysctl(_KEY)
    disks = [one.device for one in kernel.swaps if not one.zram]
    compressed = kernel.zswap or any(one.zram for one in kernel.swaps)
    if value is None or not value.isdecimal() or int(value) < view.value(HIGH) or not disks or compressed:
        return
    yield Seen(
        saw=f"{_KEY} is {value}, swap is on {', '.join(disks)}, and neither zram nor zswap is in use "
        "(/proc/sys/vm/swappiness, /proc/swaps)",
        wants=(Want(Sysctl(_KEY), BETTER),),
        note=owner_note(view, "tuned", _KEY),
        subject="swappiness",
    )
