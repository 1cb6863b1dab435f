"""A disk drops the guest's flushes.

What is seen
    ``driver/@cache`` is ``unsafe`` on a disk that the guest writes and keeps: neither read-only nor transient. The
    configuration alone shows it, but not whether the data matters.

Why it hurts
    The guest is told that its data is safe while it lies in the host's memory. A crash or power loss of the host can
    destroy the file system, not only the last seconds.

What to do
    ``none`` on storage that suits direct I/O, else ``writeback``, which keeps the host's cache. Both honour flushes.

Leave it when
    The disk is scratch space of an installer or a build that is thrown away; better mark it ``transient``.

Cost
    The guest has to be shut down and started. Writes that wait for the device are slower, as they should be.
    Durability: gained. Migration: becomes possible without ``--unsafe``. Security: none.

Look by hand
    ``virsh dumpxml GUEST --xpath //disk/driver``; on QEMU's command line ``"no-flush":true``.

Measure it
    ``fio --fsync=1`` in the guest: flushes that cost next to nothing were not done.

Sources
    * QEMU manual, -drive cache and cache.no-flush
    * libvirt, Domain XML format, disk driver cache
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.cache import fitting
from kvmnb.advise.disk.change import at_next_start, data_disks
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="disk.cache.unsafe",
    severity=Severity.CRITICAL,
    goals=(Goal.BALANCED, Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: it keeps data through a crash, and is slower",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each lasting disk with cache unsafe."""
    for disk in data_disks(domain.wanted):
        if disk.cache == "unsafe" and not disk.transient:
            suits = fitting(disk, view)
            yield at_next_start(
                domain,
                disk,
                "driver/@cache is unsafe, so that the guest's flushes are dropped",
                {"driver/@cache": suits[0] if suits is not None else "writeback"},
                costs=("writes that the guest syncs take as long as the device needs",),
            )
