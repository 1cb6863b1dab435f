"""A large guest that must not wait has no pages from a pool of hugepages.

What is seen
    The goal is latency or throughput, the guest has 4 GiB or more, no ``memoryBacking/hugepages``, and a reason:
    its vCPUs are real-time, another process serves its devices (vhost-user), or this host gives it no huge pages
    otherwise (transparent huge pages are off). Without such a reason it is said in a low voice: how much of it lies
    in small pages only a running guest shows.

Why it hurts
    Transparent huge pages are a best effort: memory that is in pieces, a migration or the kernel's tidying leave
    small pages behind, at times that nobody chose. Pages of a pool are there from the start, are never swapped and
    stay on their node. Where transparent huge pages work well the gain is in evenness more than in speed.

What to do
    Reserve the pages first (mem.hugepages.pool), then ``hugepages`` with a page size. A nodeset there names cells
    of the guest, not nodes of the host: leave it out. Memory through vhost-user or virtiofs takes the same pool.

Leave it when
    The guest is ballooned, or memory is promised twice, or the guest's load does not care.

Cost
    The guest has to be shut down and started, and does not start while the pool is too small. Its memory can no
    longer be ballooned, merged or promised twice. Durability: none. Migration: the other host needs a pool too.
    Security: such memory is never merged with that of others, which is good.

Look by hand
    ``virsh dumpxml GUEST --xpath /domain/memoryBacking``; ``grep Huge /proc/meminfo``

Measure it
    ``virsh domstats GUEST --vm``: vm.pages_4k.cur beside vm.pages_2m.cur; HugetlbPages in ``/proc/PID/status``.

Sources
    * libvirt, Domain XML format, Memory Backing
    * Linux documentation, HugeTLB Pages
    * The 4 GiB are heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import is_real_time, of_qemu, vhost_user
from kvmnb.advise.mem.pages import USUAL_SIZE, default_size, free_pages, needs, needs_of_size, shortages
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import GIB, KIB, format_bytes
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="mem.hugepages.static",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.MODERATE,
    effect_basis="documented: up to 20 % against small pages, much less against transparent huge pages",
)

LARGE = Threshold(
    name="mem.hugepages.static.large",
    default=4 * GIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="for a smaller guest small pages cost little",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where a large guest has no pages of a pool."""
    wanted = domain.wanted
    if not of_qemu(wanted) or wanted.memory_backing.hugepages or wanted.memory_bytes < view.value(LARGE):
        return
    reasons = tuple(_reasons(wanted, view))
    fits = _fits(domain, view)
    size = format_bytes(USUAL_SIZE)
    pages = sum(need.pages for need in needs_of_size(wanted, USUAL_SIZE))
    element = f"<hugepages><page size='{USUAL_SIZE // KIB}' unit='KiB'/></hugepages>"
    notes = []
    if not reasons:
        notes.append("load not measured: how much of it lies in small pages now was not seen")
    if not fits:
        notes.append(
            f"the pool has too few free pages of {size}, or the guest cannot take them: it is locked, or of odd size"
        )
    yield Seen(
        saw=f"the guest has {format_bytes(wanted.memory_bytes)} and no memoryBacking/hugepages (persistent XML)"
        + "".join(f"; {reason}" for reason in reasons),
        severity=None if reasons else Severity.LOW,
        sure=Sure.CERTAIN if reasons else Sure.LIKELY,
        wants=(Want(xml(domain, "memoryBacking/hugepages"), element),) if fits else (),
        safety=Safety.DISRUPTIVE if fits else Safety.MANUAL,
        costs=(
            *restart_cost(domain),
            "the guest starts only while the pool has the pages, and its memory can no longer be ballooned or merged",
            "a host that it migrates to needs a pool too",
        ),
        by_hand=()
        if fits
        else (
            f"Reserve {pages} pages of {size} on the guest's nodes, best at boot; see mem.hugepages.pool.",
            f"virsh edit {shell_word(domain.name)}  # {element} in memoryBacking",
        ),
        note="; ".join(notes) or None,
    )


def _reasons(wanted: Configuration, view: View) -> Iterator[str]:
    if is_real_time(wanted):
        yield "its vCPUs are real-time (cputune/vcpusched)"
    served = vhost_user(wanted)
    if served:
        yield f"another process serves its {', '.join(dict.fromkeys(served))}"
    thp = view.host.kernel.thp
    if thp is None or thp.enabled == "never":
        what = "the kernel is built without" if thp is None else "the host has switched off"
        yield f"{what} transparent huge pages, so all of it lies in 4 KiB pages"


def _fits(domain: Domain, view: View) -> bool:
    """Whether the pool has room for it beside all guests that wait for pages."""
    wanted = domain.wanted
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    sizes = [cell.memory_bytes for cell in cells] or [wanted.memory_bytes]
    if domain.inactive is None or wanted.memory_modules_bytes or any(size % USUAL_SIZE for size in sizes):
        return False
    if wanted.memory_backing.locked and not is_real_time(wanted):
        # Locked memory and a pool are two ways to the same end: a person chooses.
        return False
    own = needs_of_size(wanted, USUAL_SIZE)
    free = free_pages(view.host, USUAL_SIZE)
    if not free or shortages(own, free):
        # Looking at all other guests is worth it only where the pool has room at all.
        return False
    default = default_size(view)
    waiting = [
        need
        for other in view.domains
        if not other.running
        for need in needs(other.wanted, default)
        if need.size == USUAL_SIZE
    ]
    return not shortages([*waiting, *own], free)
