"""The search for zeroes in what the guest writes does not fit the goal.

What is seen
    For goal density: a disk on thin storage with ``discard='unmap'`` and without ``detect_zeroes``. For goals latency
    and throughput: a disk with ``detect_zeroes`` on or unmap. The configuration shows it.

Why it hurts
    QEMU reads through every buffer that is written to see whether it is all zeroes. That costs CPU time for each
    write; what it saves is space, when guests write zeroes instead of trimming.

What to do
    ``detect_zeroes='unmap'`` together with ``discard='unmap'`` where space counts; nothing where speed counts. A live
    change reports success and does nothing.

Leave it when
    The guest trims by itself, or never writes zeroes.

Cost
    The guest has to be shut down and started; CPU time for each write. Durability: none. Migration: none. Security:
    none.

Look by hand
    ``virsh dumpxml GUEST --xpath //disk/driver``.

Measure it
    The allocation by ``virsh domblkinfo`` after ``dd if=/dev/zero`` in the guest; the CPU time of the disk's thread.

Sources
    * libvirt, Domain XML format, disk driver detect_zeroes
    * libvirt source, src/qemu/qemu_domain.c (what of a disk changes live)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import at_next_start, data_disks
from kvmnb.advise.disk.discard import reclaims
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="disk.detect_zeroes",
    severity=Severity.LOW,
    goals=(Goal.DENSITY, Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: space, or the CPU time that looking for zeroes takes",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk that should search for zeroes and does not, or the other way round."""
    dense = view.goal(domain) is Goal.DENSITY
    for disk in data_disks(domain.wanted):
        if dense and disk.detect_zeroes is None and disk.discard == "unmap":
            storage = reclaims(disk, view)
            if storage is not None:
                yield at_next_start(
                    domain,
                    disk,
                    f"there is no driver/@detect_zeroes, so that zeroes which the guest writes fill {storage}",
                    {"driver/@detect_zeroes": "unmap"},
                    costs=("each buffer that the guest writes is read through, which takes CPU time",),
                )
        elif not dense and disk.detect_zeroes in ("on", "unmap"):
            yield at_next_start(
                domain,
                disk,
                f"driver/@detect_zeroes is {disk.detect_zeroes}, so that each buffer that is written is read through",
                {"driver/@detect_zeroes": None},
                costs=("zeroes that the guest writes take space again",),
            )
