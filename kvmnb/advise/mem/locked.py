"""The guest's memory is locked without a limit or without need, or is not locked where it must be.

What is seen
    ``memoryBacking/locked`` without ``memtune/hard_limit``; a guest with real-time vCPUs without ``locked``; or
    ``locked`` on a guest in a pool of hugepages that is not real-time, which needs none as a pool is never swapped.
    The configuration alone shows all three.

Why it hurts
    To lock memory libvirt lifts the limit on locked memory, for the whole process: a guest that makes QEMU grow, by
    mistake or by malice, can then pin all of the host's memory. libvirt takes such a configuration without a word. A
    real-time vCPU whose page was swapped misses its time.

What to do
    For real time: ``locked`` together with a ``hard_limit`` of the memory, a tenth of it or at least 1 GiB on top,
    and 256 MiB for video. Elsewhere remove ``locked``: VFIO locks what it needs by itself.

Leave it when
    Somebody computed the limit, or the guest holds secrets that must never reach a swap disk.

Cost
    The guest has to be shut down and started. A limit that is too small kills the guest, with what it had not
    written: durability. Locked memory cannot be swapped, merged or promised twice. Migration: none. Security:
    better with a limit.

Look by hand
    ``virsh memtune GUEST``; Max locked memory in ``/proc/PID/limits``; VmLck in ``/proc/PID/status``

Measure it
    VmLck is at least the guest's memory; memory.max of its cgroup is the limit.

Sources
    * libvirt, Domain XML format, Memory Backing (locked) and Memory Tuning
    * Tested with libvirt 9.0: locked without hard_limit is taken
    * The room above the memory is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.mem.backing import has_vfio, is_real_time, of_qemu
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import GIB, KIB, MIB, format_bytes
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

# A guest that can pin the whole host is everybody's matter, so no goal is left out.
RULE = Rule(
    id="mem.locked",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented, heuristic",
    effect=Effect.INDIRECT,
    effect_basis="documented: it decides what happens when memory runs short, not the speed before",
)

HEADROOM = Threshold(
    name="mem.locked.headroom",
    default=GIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="the least that QEMU is left beside the guest's memory",
)
HEADROOM_PART = Threshold(
    name="mem.locked.headroom_part",
    default=10,
    unit="%",
    least=0,
    most=1000,
    meaning="what QEMU is left beside the guest's memory, as a part of it",
)
VIDEO = Threshold(
    name="mem.locked.video",
    default=256 * MIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="what video memory may take",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where locking has no limit or no reason, or is missing."""
    wanted = domain.wanted
    if not of_qemu(wanted):
        return
    locked, limit = wanted.memory_backing.locked, wanted.tuning.memory.hard_limit_bytes
    urgent = is_real_time(wanted)
    if locked and wanted.memory_backing.hugepages and not urgent:
        yield _needless(domain, limit)
    elif locked and limit is None:
        yield _limited(domain, view, "memoryBacking/locked is there and memtune/hard_limit is not", ())
    elif urgent and not locked:
        lock = (Want(xml(domain, "memoryBacking/locked"), "<locked/>"),) if domain.inactive is not None else ()
        saw = "vCPUs are real-time (cputune/vcpusched) and memoryBacking/locked is missing"
        if limit is None or not lock:
            yield _limited(domain, view, saw, lock)
        else:
            yield Seen(saw=f"{saw} (persistent XML)", wants=lock, safety=Safety.DISRUPTIVE, costs=_costs(domain))


def _needless(domain: Domain, limit: int | None) -> Seen:
    editable = domain.inactive is not None
    said = "no hard_limit" if limit is None else f"a hard_limit of {format_bytes(limit)}"
    return Seen(
        saw=f"memory is locked, lies in a pool of hugepages, which is never swapped, and no vCPU is real-time; there "
        f"is {said} (persistent XML: memoryBacking, memtune)",
        # With a limit it is only superfluous.
        severity=None if limit is None else Severity.INFO,
        wants=(Want(xml(domain, "memoryBacking/locked"), None),) if editable else (),
        safety=Safety.DISRUPTIVE if editable else Safety.MANUAL,
        costs=restart_cost(domain) or ("QEMU's own memory, beside the guest's, may be swapped",),
        by_hand=() if editable else (f"virsh edit {shell_word(domain.name)}  # without memoryBacking/locked",),
    )


def _limited(domain: Domain, view: View, saw: str, others: tuple[Want, ...]) -> Seen:
    """The finding with a hard limit, worked out where it can be."""
    wanted = domain.wanted
    limit = _limit(wanted, view)
    words = f"<hard_limit unit='KiB'>{limit // KIB}</hard_limit>"
    # VFIO for several devices behind one IOMMU and vDPA lock the memory more than once.
    certain = domain.inactive is not None and not has_vfio(wanted)
    name = shell_word(domain.name)
    return Seen(
        saw=f"{saw}; the guest has {format_bytes(wanted.memory_bytes)} (persistent XML)",
        wants=(*others, Want(xml(domain, "memtune/hard_limit"), words)) if certain else (),
        safety=Safety.DISRUPTIVE if certain else Safety.MANUAL,
        costs=_costs(domain),
        by_hand=()
        if certain
        else (
            f"virsh edit {name}  # locked in memoryBacking, {words} in memtune; with vDPA or NVMe once more for each",
        ),
        note=f"the limit is {format_bytes(limit)}: the memory, {format_bytes(_headroom(wanted.memory_bytes, view))} on "
        f"top, and {format_bytes(view.value(VIDEO))} for video"
        if certain
        else "devices of the host may lock the memory more than once, or the guest cannot be edited",
    )


def _limit(wanted: Configuration, view: View) -> int:
    memory = max(wanted.memory_bytes, wanted.tuning.memory.max_bytes or 0)
    return (memory + _headroom(memory, view) + view.value(VIDEO)) // MIB * MIB + MIB


def _headroom(memory: int, view: View) -> int:
    return max(view.value(HEADROOM), memory * view.value(HEADROOM_PART) // 100)


def _costs(domain: Domain) -> tuple[str, ...]:
    return (
        *restart_cost(domain),
        "above the limit the kernel kills the guest, with what it has not written yet",
        "locked memory cannot be swapped, merged or promised twice",
    )
