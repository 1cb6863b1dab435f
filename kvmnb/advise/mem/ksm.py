"""The merging of equal pages (KSM) does not suit the guests.

What is seen
    While KSM merges (run is 1): a guest with the goal latency or with a pin for every vCPU takes part in it; pages
    of different nodes may become one although a guest is bound to a node; or it earns nothing: general_profit is
    not above 0, or ten times as many pages are looked at in vain as are saved. While it does not merge: the goal is
    density, less than 20 per cent of memory is available, and three or more running guests are alike. The facts
    alone show all of it. Whether guests of different owners share this host cannot be seen from here.

Why it hurts
    Merging takes a CPU, and the first write to a merged page costs the vCPU a fault and a copy. A page merged across
    nodes is far for all guests but one. Whoever can time such writes learns what a neighbour has in memory: among
    guests that do not trust each other KSM stays off. On a full host of like guests it does give memory back.

What to do
    Keep guests that must not wait out of it (nosharepages), keep nodes apart (merge_across_nodes 0), and stop it
    where it earns nothing. For density switch it on with the scan-time advisor (Linux 6.8), which sets its own
    pace. To last, tmpfiles.d: ``w /sys/kernel/mm/ksm/run - - - - 1``, or ``/etc/ksmtuned.conf`` where ksmtuned
    runs.

Leave it when
    Memory is what you are short of and the guests can bear the faults. Pages in a pool of hugepages are never merged.

Cost
    run and the advisor work at once and last until the next boot. nosharepages needs each guest shut down and
    started. merge_across_nodes can change only while nothing is merged; undoing all merges may need more memory
    than there is. Durability: none. Migration: none. Security: better without it, worse with it.

Look by hand
    ``grep . /sys/kernel/mm/ksm/{run,merge_across_nodes,pages_sharing,pages_unshared,general_profit}``

Measure it
    CPU time of the thread ksmd, pages_sharing, and ``ksm_merging_pages`` in ``/proc/PID/ksm_stat`` of a guest.

Sources
    * Linux documentation, Kernel Samepage Merging
    * libvirt, Domain XML format, Memory Backing (nosharepages)
    * TuneD, profile realtime-virtual-host
    * Thresholds (a tenth, 20 per cent, three guests) are heuristic
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.cpu.pins import STOP_AND_START, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.mem.backing import is_anonymous, names_of, of_qemu, owner_note, running
from kvmnb.advise.numa.bound import memory_nodes
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.advise.voice import Voice
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.facts.kernel import Ksm
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="mem.ksm",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.DENSITY),
    basis="documented, heuristic",
    effect=Effect.MODERATE,
    effect_basis="documented: how many pages are equal decides; for latency it ends the scanner's interruptions",
    voices={
        Overlay.SECURITY: Voice(
            why="guests learn by timing what they share: merging among several is high, and is never switched on"
        )
    },
)

UNSHARED_PER_SHARING = Threshold(
    name="mem.ksm.vain",
    default=10,
    unit="pages",
    least=1,
    most=100000,
    meaning="looked at in vain for each one that is saved; above this merging does not pay",
)
SHORT_OF_MEMORY = Threshold(
    name="mem.ksm.available",
    default=20.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a dense host with less of its memory available needs merging",
)
ALIKE = Threshold(
    name="mem.ksm.alike",
    default=3,
    unit="guests",
    least=2,
    most=100000,
    meaning="so many running guests of one kind are worth merging",
)
_FOLDER = "kernel/mm/ksm"
# x86-64 and arm64 by default.
PAGE_BYTES = 4096


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each way in which merging does not suit the guests."""
    ksm = view.host.kernel.ksm
    if ksm is None:
        return
    if view.secure():
        yield from _between_tenants(view, ksm)
    elif ksm.run == 1:
        for part in (_takes_part(view), _across_nodes(view, ksm), _earns_nothing(view, ksm)):
            with view.part():
                yield from part
    elif ksm.run == 0:
        yield from _missing(view, ksm)


def _apart(view: View) -> list[Domain]:
    """Guests that must not wait for a merged page, and take part."""
    return [
        domain
        for domain in view.domains
        if of_qemu(domain.wanted)
        and is_anonymous(domain.wanted)
        and not domain.wanted.tuning.memory.no_merging
        and (view.goal(domain) is Goal.LATENCY or domain.wanted.dedicated)
    ]


def _takes_part(view: View) -> Iterator[Seen]:
    guests = _apart(view)
    if not guests:
        return
    wants = tuple(
        Want(xml(domain, "memoryBacking/nosharepages"), "<nosharepages/>")
        for domain in guests
        if domain.inactive is not None
    )
    all_wanted = len(wants) == len(guests)
    yield Seen(
        saw=f"KSM merges (/sys/{_FOLDER}/run is 1), and these guests with the goal latency or with a pin for every "
        f"vCPU lack memoryBacking/nosharepages: {names_of(guests)}",
        wants=wants if all_wanted else (),
        safety=Safety.DISRUPTIVE if all_wanted else Safety.MANUAL,
        costs=(STOP_AND_START, "the pages of these guests are no longer merged, so the host has less memory free"),
        by_hand=()
        if all_wanted
        else tuple(f"virsh edit {shell_word(one.name)}  # <nosharepages/> in memoryBacking" for one in guests),
        note="a guest that exists only while it runs is among them" if not all_wanted else None,
        subject="ksm/guests",
    )


def _between_tenants(view: View, ksm: Ksm) -> Iterator[Seen]:
    """Merging among guests of people who do not trust each other; to undo the merges takes memory."""
    guests = [domain for domain, layer in running(view) if is_anonymous(layer) and not layer.tuning.memory.no_merging]
    if ksm.run != 1 or len(guests) < 2:
        return
    needed, available = ksm.pages_sharing * PAGE_BYTES, view.host.kernel.available_bytes
    room = available is not None and needed < available
    yield Seen(
        saw=f"KSM merges (/sys/{_FOLDER}/run is 1) pages of these running guests: {names_of(guests)}; "
        f"{ksm.pages_sharing} pages are saved now",
        severity=Severity.HIGH,
        wants=(Want(Sysfs(f"{_FOLDER}/run"), "2"),) if room else (),
        safety=Safety.DISRUPTIVE if room else Safety.MANUAL,
        costs=(f"undoing the merges takes {format_bytes(needed)} of memory, and CPU time while it lasts",),
        by_hand=()
        if room
        else (
            f"Make sure that the host has {format_bytes(needed)} to spare, to undo the merges. Then:",
            f"echo 2 | sudo tee /sys/{_FOLDER}/run",
        ),
        note=owner_note(view, "ksmtuned", "ksm/run"),
        subject="ksm/tenants",
    )


def _across_nodes(view: View, ksm: Ksm) -> Iterator[Seen]:
    nodes = [node.id for node in view.host.numa_nodes if node.memory_bytes]
    if ksm.merge_across_nodes != 1 or len(nodes) < 2:
        return
    bound = [
        domain
        for domain, layer in running(view)
        if (held := memory_nodes(layer)) is not None and len(held) < len(nodes)
    ]
    if not bound:
        return
    merged, spare = ksm.pages_shared > 0, ksm.pages_sharing * PAGE_BYTES
    yield Seen(
        saw=f"pages of all {len(nodes)} nodes may become one (/sys/{_FOLDER}/merge_across_nodes is 1), and these "
        f"running guests are bound to nodes: {names_of(bound)}; {ksm.pages_shared} pages are merged now",
        wants=() if merged else (Want(Sysfs(f"{_FOLDER}/merge_across_nodes"), "0"),),
        safety=Safety.MANUAL if merged else Safety.SAFE,
        by_hand=(
            f"Make sure that the host has {format_bytes(spare)} to spare, to undo the merges. Then:",
            f"echo 2 | sudo tee /sys/{_FOLDER}/run",
            f"echo 0 | sudo tee /sys/{_FOLDER}/merge_across_nodes",
            f"echo 1 | sudo tee /sys/{_FOLDER}/run",
        )
        if merged
        else (),
        note="the kernel changes it only while nothing is merged" if merged else None,
        subject="ksm/nodes",
    )


def _earns_nothing(view: View, ksm: Ksm) -> Iterator[Seen]:
    vain = ksm.pages_unshared > view.value(UNSHARED_PER_SHARING) * ksm.pages_sharing
    lossy = ksm.general_profit is not None and ksm.general_profit <= 0
    if not (vain or lossy) or _needed(view):
        return
    said = f"{ksm.pages_unshared} pages are looked at in vain and {ksm.pages_sharing} are saved"
    if ksm.general_profit is not None:
        said += f", the profit is {ksm.general_profit} bytes"
    yield Seen(
        saw=f"KSM merges and earns nothing: {said} (/sys/{_FOLDER})",
        wants=(Want(Sysfs(f"{_FOLDER}/run"), "0"),),
        sure=Sure.LIKELY,
        note="; ".join(
            part
            for part in (
                "read once: shortly after it was switched on these counts mean little; what is merged stays merged",
                owner_note(view, "ksmtuned", "ksm/run"),
            )
            if part
        ),
        subject="ksm/run",
    )


def _needed(view: View) -> bool:
    """Whether the host is dense, short of memory, and has guests that are alike."""
    kernel = view.host.kernel
    if view.goal() is not Goal.DENSITY or kernel.available_bytes is None:
        return False
    return kernel.available_bytes * 100 < view.value(SHORT_OF_MEMORY) * kernel.memory_bytes and bool(_alike(view))


def _alike(view: View) -> list[Domain]:
    """Running guests with plain memory of the most frequent kind, where they are enough."""
    kinds = {
        domain.uuid: (layer.os_id, layer.arch, layer.machine)
        for domain, layer in running(view)
        if is_anonymous(layer) and not layer.tuning.memory.no_merging
    }
    for kind, count in Counter(kinds.values()).most_common(1):
        if count >= view.value(ALIKE):
            return [domain for domain in view.domains if kinds.get(domain.uuid) == kind]
    return []


def _missing(view: View, ksm: Ksm) -> Iterator[Seen]:
    if not _needed(view):
        return
    kernel = view.host.kernel
    wants = []
    if ksm.merge_across_nodes == 1 and ksm.pages_shared == 0:
        wants.append(Want(Sysfs(f"{_FOLDER}/merge_across_nodes"), "0"))
    if ksm.advisor_mode == "none":
        wants.append(Want(Sysfs(f"{_FOLDER}/advisor_mode"), "scan-time"))
    wants.append(Want(Sysfs(f"{_FOLDER}/run"), "1"))
    apart = _apart(view)
    first = tuple(f"virsh edit {shell_word(one.name)}  # <nosharepages/> in memoryBacking" for one in apart)
    yield Seen(
        saw=f"{format_bytes(kernel.available_bytes or 0)} of {format_bytes(kernel.memory_bytes)} are available, KSM is "
        f"off (/sys/{_FOLDER}/run is 0), and these running guests are alike: {names_of(_alike(view))}",
        wants=() if apart else tuple(wants),
        safety=Safety.MANUAL if apart else Safety.DISRUPTIVE,
        costs=(
            "security: guests can learn by timing what others have in memory; only among guests that trust each other",
            "ksmd takes CPU time, and the first write to a merged page is slow",
        ),
        by_hand=(
            "Keep guests that must not wait out of it first:",
            *first,
            *(w.tunable.command(w.value) for w in wants),
        )
        if apart
        else (),
        note=owner_note(view, "ksmtuned", "ksm/run"),
        subject="ksm/run",
    )
