"""Transparent huge pages are switched off, or stall the guests that use them.

What is seen
    Three settings below ``/sys/kernel/mm/transparent_hugepage``, each with the guests that it touches: ``enabled`` is
    never while a running guest has plain memory; ``shmem_enabled`` is never while a running guest has shared memory
    (memfd, as for virtiofs and vhost-user); ``defrag`` is always while a guest has the goal latency. Guests in a pool
    of hugepages do not count. The configuration alone shows all three.

Why it hurts
    QEMU asks for huge pages for all guest memory, and never turns that down: each access then walks two page tables
    down to 4 KiB pages. Shared memory is not ruled by ``enabled`` but by ``shmem_enabled``. With ``defrag`` at always
    the thread that touches new memory, a vCPU too, waits while the kernel tidies up.

What to do
    ``enabled`` to madvise, ``shmem_enabled`` to advise, ``defrag`` to madvise: QEMU asks, others are left alone. It
    counts for memory that is touched from then on, so restart the guests when it suits. To last, a line in
    tmpfiles.d: ``w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise``. Where TuneD sets it, choose
    another profile: network-latency switches huge pages off, which is right for databases and wrong for hosts of
    guests.

Leave it when
    All guests that matter have a static pool, or memory is so short that the coarser grain costs more than it gives.

Cost
    Works at once, needs no restart, lasts until the next boot. Small guests may take somewhat more memory.
    Durability: none. Migration: huge pages are split while memory is sent. Security: none.

Look by hand
    ``grep . /sys/kernel/mm/transparent_hugepage/{enabled,defrag,shmem_enabled}``

Measure it
    AnonHugePages in ``/proc/PID/smaps_rollup`` of a guest (of shared memory ShmemPmdMapped) beside its Rss: above
    80 per cent is good. ``compact_stall`` in ``/proc/vmstat`` for defrag.

Sources
    * Linux documentation, Transparent Hugepage Support
    * TuneD, profile network-latency
    * Intel, Increase the Performance of VM Workloads by Enabling THP (2022)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import is_anonymous, is_shared, names_of, owner_note, running
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want

# Its part about defrag speaks for latency, so no goal is left out.
RULE = Rule(
    id="mem.thp",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented, heuristic",
    effect=Effect.MODERATE,
    effect_basis="documented: Intel measured about 3 %, Red Hat's guide says up to 20 %",
)

_FOLDER = "kernel/mm/transparent_hugepage"
_NEW_MEMORY = "it counts for memory that is touched from now on; guests that run have all of it after a restart"


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each of the three settings that does not suit the running guests."""
    thp = view.host.kernel.thp
    if thp is None:
        return
    guests = [(domain, layer) for domain, layer in running(view) if not layer.memory_backing.hugepages]
    plain = [domain for domain, layer in guests if is_anonymous(layer)]
    shared = [domain for domain, layer in guests if is_shared(layer)]
    urgent = [domain for domain, _ in guests if view.goal(domain) is Goal.LATENCY]
    if thp.enabled == "never" and plain:
        saw = f"enabled is never, and these running guests have no other huge pages: {names_of(plain)}"
        yield _seen(view, "enabled", "madvise", saw, _NEW_MEMORY)
    if thp.shmem == "never" and shared:
        saw = f"shmem_enabled is never, and these running guests have shared memory: {names_of(shared)}"
        yield _seen(view, "shmem_enabled", "advise", saw, _NEW_MEMORY)
    if thp.defrag == "always" and urgent:
        saw = f"defrag is always, and these running guests have the goal latency: {names_of(urgent)}"
        yield _seen(view, "defrag", "madvise", saw)


def _seen(view: View, name: str, value: str, saw: str, note: str | None = None) -> Seen:
    owner = owner_note(view, "tuned", f"transparent_hugepage/{name}")
    return Seen(
        saw=f"{saw} (/sys/{_FOLDER}/{name})",
        wants=(Want(Sysfs(f"{_FOLDER}/{name}"), value),),
        note="; ".join(part for part in (note, owner) if part) or None,
        subject=f"thp/{name}",
    )
