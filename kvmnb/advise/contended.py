"""Findings that can each be followed alone, and not together, since both take the same thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kvmnb.advise.finding import Finding
from kvmnb.advise.mem.pages import USUAL_SIZE, Need, default_size, free_pages, needs, needs_of_size, shortages
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet

POOL_RULE = "mem.hugepages.static"


def contended(findings: Sequence[Finding], view: View) -> Iterator[tuple[Finding, Finding, str, str]]:
    """Each finding that takes what an earlier one takes: the earlier, the later, what it is, and why."""
    yield from _pages(findings, view)
    yield from _cpus(findings)


def _pages(findings: Sequence[Finding], view: View) -> Iterator[tuple[Finding, Finding, str, str]]:
    """Guests that would take more pages together than the pool has free."""
    asking = [one for one in findings if one.id == POOL_RULE and one.wants]
    if len(asking) < 2:
        return
    domains = {domain.name: domain for domain in view.domains}
    default = default_size(view)
    free = free_pages(view.host, USUAL_SIZE)
    taken: list[Need] = [
        need
        for domain in view.domains
        if not domain.running
        for need in needs(domain.wanted, default)
        if need.size == USUAL_SIZE
    ]
    last = asking[0]
    for finding in asking:
        own = needs_of_size(domains[finding.domain or ""].wanted, USUAL_SIZE)
        if shortages([*taken, *own], free):
            about = f"the {sum(free.values())} free pages of the pool, which are too few for both guests"
            yield last, finding, about, "the guest that is told first takes them; reserve more pages for the other"
        else:
            taken.extend(own)
            last = finding


def _cpus(findings: Sequence[Finding]) -> Iterator[tuple[Finding, Finding, str, str]]:
    """vCPUs that would have one CPU between them."""
    taken: dict[tuple[str, int], tuple[Finding, str]] = {}
    for finding in findings:
        for want in finding.wants:
            tunable = want.tunable
            if "vcpupin[" not in str(tunable) or want.value is None or want.value.startswith("<"):
                continue
            cpus = CpuSet.parse(want.value)
            if len(cpus) != 1:
                continue
            earlier, spelt = taken.setdefault((tunable.kind, cpus.first), (finding, str(tunable)))
            if spelt != str(tunable) and earlier is not finding:
                about = f"CPU {cpus}, which {spelt} and {tunable} would both take alone"
                yield earlier, finding, about, "a CPU that two pinned vCPUs share serves neither"
                break
