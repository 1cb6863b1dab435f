"""The host lets much written data pile up behind guests' disks that use its page cache.

What is seen
    On a host with 64 GiB or more, some guest has a disk on a file or block device that goes through the host's page
    cache (cache is writeback, writethrough, unsafe, or not named, which means writeback), and the kernel lets more
    than a tenth of the memory be dirty. Whether a flush really takes longer than a second is a rate and not
    measured here.

Why it hurts
    A per cent of a large memory is many GiB. A guest that asks for its data to be on disk then waits behind what
    everybody else has piled up, for seconds.

What to do
    Lower ``vm.dirty_ratio`` to 10 and ``vm.dirty_background_ratio`` to 5. Bytes hold tighter: 1 GiB for
    ``vm.dirty_bytes`` and 256 MiB for ``vm.dirty_background_bytes``. To last, the same lines in
    ``/etc/sysctl.d/99-local.conf``. Or take the disks out of the page cache: cache none (disk.cache).

Leave it when
    The load is bursts that fit into memory, and nobody waits for a flush.

Cost
    Works at once, needs no restart, lasts until the next boot. Bursts of writes are slower. Durability: better, as
    less is lost with the power. Migration: none. Security: none.

Look by hand
    ``sysctl vm.dirty_ratio vm.dirty_bytes``; ``grep -E 'Dirty|Writeback' /proc/meminfo``

Measure it
    Dirty in ``/proc/meminfo`` stays below the limit; fl.times of ``virsh domstats GUEST --block`` divided by fl.reqs.

Sources
    * Linux documentation, sysctl vm (dirty_ratio, dirty_bytes)
    * TuneD, profile virtual-host
    * 64 GiB and a tenth are heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import names_of, of_qemu, owner_note
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import GIB, MIB, format_bytes
from kvmnb.facts.device import Disk
from kvmnb.facts.kernel import Kernel
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="mem.writeback_dirty",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.BALANCED),
    basis="heuristic",
    effect=Effect.MODERATE,
    effect_basis="heuristic: flushes wait for a bounded time",
)

LARGE_HOST = Threshold(
    name="mem.writeback_dirty.host",
    default=64 * GIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="of a smaller host the dirty part is soon written",
)
DIRTY_PER_CENT = Threshold(
    name="mem.writeback_dirty.part",
    default=10,
    unit="%",
    least=6,
    most=100,
    meaning="the part of the memory that may be dirty",
)
DIRTY_BYTES = Threshold(
    name="mem.writeback_dirty.bytes",
    default=GIB,
    unit="bytes",
    least=16 * MIB,
    most=2**50,
    meaning="what may be dirty, where the host counts in bytes; a quarter of it starts the writing",
)
_CACHED = (None, "default", "writeback", "writethrough", "unsafe")


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where much may be dirty behind disks in the page cache."""
    kernel = view.host.kernel
    if kernel.memory_bytes < view.value(LARGE_HOST):
        return
    limit = _number(kernel, "vm.dirty_bytes")
    in_bytes = bool(limit)
    ratio = _number(kernel, "vm.dirty_ratio")
    if not in_bytes:
        if ratio is None:
            return
        limit = kernel.memory_bytes * ratio // 100
    part = view.value(DIRTY_PER_CENT)
    if limit is None or limit * 100 <= part * kernel.memory_bytes:
        return
    guests = [
        domain
        for domain in view.domains
        if of_qemu(domain.wanted) and any(_is_cached(disk) for disk in domain.wanted.devices.disks)
    ]
    if not guests:
        return
    said = f"vm.dirty_bytes is {limit}" if in_bytes else f"vm.dirty_ratio is {ratio}"
    most = view.value(DIRTY_BYTES)
    note = "load not measured: how long the guests wait for a flush was not seen"
    if not in_bytes:
        # The kernel zeroes the ratio when bytes are set, and does not take 0 bytes back: no exact undo.
        note += (
            f"; bytes hold tighter, by hand: sysctl -w vm.dirty_background_bytes={most // 4} "
            f"vm.dirty_bytes={most}, which a person takes back by setting the ratios again"
        )
    yield Seen(
        saw=f"{said}, so up to {format_bytes(limit)} of {format_bytes(kernel.memory_bytes)} may be dirty, and these "
        f"guests have disks in the host's page cache: {names_of(guests)} (/proc/sys/vm; disk/driver/@cache)",
        wants=tuple(_wants(kernel, in_bytes, part, most)),
        sure=Sure.LIKELY,
        note="; ".join(part for part in (note, owner_note(view, "tuned", "vm.dirty_ratio")) if part),
        subject="dirty",
    )


def _is_cached(disk: Disk) -> bool:
    """Whether its writes go through the host's page cache."""
    return disk.device == "disk" and disk.type in ("file", "block", "volume") and disk.cache in _CACHED


def _wants(kernel: Kernel, in_bytes: bool, part: int, most: int) -> Iterator[Want]:
    # TuneD's profile virtual-host has the background limit at half of the other, as here.
    word, main, background = ("bytes", most, most // 4) if in_bytes else ("ratio", part, part // 2)
    found = _number(kernel, f"vm.dirty_background_{word}")
    # The background limit comes first: it has to stay below the other.
    if found is not None and found > background:
        yield Want(Sysctl(f"vm.dirty_background_{word}"), str(background))
    yield Want(Sysctl(f"vm.dirty_{word}"), str(main))


def _number(kernel: Kernel, key: str) -> int | None:
    value = kernel.sysctl(key)
    return int(value) if value is not None and value.isdecimal() else None
