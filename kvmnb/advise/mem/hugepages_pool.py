"""The pool of hugepages does not hold what the guests need, or holds what nobody needs.

What is seen
    Pages are counted for each guest cell, rounded up, and summed for the nodes they must come from or are to be
    bound to. Found are: guests with hugepages that start with the host (or are given as files) and together need
    more pages than are free on their nodes; free pages beyond what all defined guests need that make up more than a
    tenth of the memory; and ``vm.nr_overcommit_hugepages`` in place of a pool. How long pages lay idle cannot be
    seen from here.

Why it hurts
    Without its pages a guest does not start. The kernel takes as many as it finds, spreads them over the nodes, and
    says nothing where it found fewer. Memory in a pool serves nothing else, and surplus pages are found by luck.

What to do
    Reserve memory divided by page size, on the right node, and read it back. To last for one node, tmpfiles.d: ``w
    /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages - - - - 4096``, or at boot, which is
    safest, ``hugepagesz=2M hugepages=0:4096`` (Linux 5.16; before it the pages are spread). Pages of 1 GiB are
    reserved at boot alone (mem.hugepages.1g). Leave the host itself 2 GiB or 5 per cent, and 1 GiB for each node.

Leave it when
    The idle pages wait for guests that are defined elsewhere, such as by a cluster.

Cost
    Works at once without a restart, until the next boot. The memory is gone for page cache and other guests; too
    large a pool starves the host. Durability: none. Migration: none. Security: none.

Look by hand
    ``grep . /sys/devices/system/node/node*/hugepages/hugepages-*/{nr,free}_hugepages``; ``virsh freepages --all``

Measure it
    The free pages of each node after all guests are started.

Sources
    * Linux documentation, HugeTLB Pages
    * libvirt, virsh manual, allocpages and freepages
    * A tenth of the memory, and the host's reserve, are heuristic
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import host_reserve, names_of
from kvmnb.advise.mem.pages import (
    HUGE_SIZE,
    Need,
    all_pages,
    default_size,
    free_pages,
    needs,
    shortages,
    size_words,
)
from kvmnb.advise.numa.bound import nodes_to_come
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="mem.hugepages.pool",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented, heuristic",
    effect=Effect.MODERATE,
    effect_basis="documented: guests start, and no memory lies idle",
)

IDLE = Threshold(
    name="mem.hugepages.pool.idle",
    default=10.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="idle pages above this part of the memory are worth giving back",
)
AVAILABLE = Threshold(
    name="mem.hugepages.pool.available",
    default=10.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a pool grows only while more of the memory than this stays available",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each page size that is short or idle, and for a pool that is left to luck."""
    default = default_size(view)
    asked: dict[str, tuple[Need, ...]] = {one.uuid: needs(one.wanted, default) for one in view.domains}
    sizes = {need.size for found in asked.values() for need in found}
    sizes |= {pool.size_bytes for node in view.host.numa_nodes for pool in node.hugepages}
    for size in sorted(sizes):
        of_size = {uuid: [need for need in found if need.size == size] for uuid, found in asked.items()}
        by_luck = _by_luck(view, size, of_size) if size == default else ()
        for part in (_short(view, size, of_size), _idle(view, size, of_size), by_luck):
            with view.part():
                yield from part


def _waits(domain: Domain) -> bool:
    """Whether it will want its pages by itself: it starts with the host, or is given as a file."""
    return not domain.running and (domain.state is None or domain.state.autostart)


def _short(view: View, size: int, asked: dict[str, list[Need]]) -> Iterator[Seen]:
    waiting = [one for one in view.domains if asked[one.uuid] and _waits(one)]
    free = free_pages(view.host, size)
    nodes = CpuSet(node.id for node in view.host.numa_nodes if node.memory_bytes)
    coming = [need for one in waiting for need in _placed(one, asked[one.uuid], view)]
    missing = shortages(coming, {node: free.get(node, 0) for node in nodes})
    if not missing:
        return
    count = sum(need.pages for one in waiting for need in asked[one.uuid])
    have = ", ".join(f"node {node} {free.get(node, 0)}" for node in nodes)
    wants = _more(view, size, missing)
    lack = ", ".join(f"{pages} on node {group}" for group, pages in missing.items())
    yield Seen(
        saw=f"guests that start by themselves need {count} pages of {format_bytes(size)}, free are {have}; missing are "
        f"{lack}; guests: {names_of(waiting)} (memoryBacking/hugepages; /sys/devices/system/node)",
        wants=wants,
        safety=Safety.DISRUPTIVE if wants else Safety.MANUAL,
        costs=(
            f"{format_bytes(sum(missing.values()) * size)} are taken from page cache and other guests until given back",
            "the kernel may find fewer pages than asked for: read the number back",
        ),
        by_hand=()
        if wants
        else (
            "Make room: stop guests or move them; then reserve the pages at boot, as nothing is in pieces yet:",
            f"sudo grubby --update-kernel=ALL --args='{_boot_args(view, size, missing)}'  # or in GRUB_CMDLINE_LINUX",
        ),
        note="until the next boot; a tmpfiles.d line or the kernel's command line keeps it"
        if wants
        else "pages of this size, or so many of them, cannot be had for sure while the host runs",
        subject=f"hugepages/{size_words(size)}",
    )


def _placed(domain: Domain, asked: list[Need], view: View) -> list[Need]:
    """The needs of a guest, on the node that numa.fit wants it on where it may go anywhere."""
    if all(need.nodes is not None for need in asked):
        return asked
    nodes = nodes_to_come(domain, view)
    return [replace(need, nodes=nodes) if need.nodes is None else need for need in asked]


def _more(view: View, size: int, missing: dict[CpuSet, int]) -> tuple[Want, ...]:
    """The pools made larger, where the nodes have the memory free and the host keeps its own."""
    kernel, lack = view.host.kernel, sum(missing.values()) * size
    total = all_pages(view.host, size)
    keep = max(host_reserve(view), int(view.value(AVAILABLE) * kernel.memory_bytes / 100))
    if size >= HUGE_SIZE or kernel.available_bytes is None or kernel.available_bytes - lack < keep:
        return ()
    room = {node.id: node.free_bytes // size for node in view.host.numa_nodes if node.id in total}
    grown = dict(total)
    for group, pages in missing.items():
        for node in sorted(group, key=lambda one: -room.get(one, 0)):
            taken = min(pages, room.get(node, 0))
            if taken:
                grown[node] += taken
                room[node] -= taken
                pages -= taken
        if pages:
            return ()
    return tuple(
        Want(Sysfs(f"devices/system/node/node{node}/hugepages/{size_words(size)}/nr_hugepages"), str(pages))
        for node, pages in sorted(grown.items())
        if pages != total[node]
    )


def _boot_args(view: View, size: int, missing: dict[CpuSet, int]) -> str:
    total = dict(all_pages(view.host, size))
    for group, pages in missing.items():
        for place, node in enumerate(group):
            # Evenly, the first nodes taking what is left over.
            total[node] = total.get(node, 0) + (pages + len(group) - 1 - place) // len(group)
    word = "1G" if size == HUGE_SIZE else f"{size // 1024}K"
    return f"hugepagesz={word} hugepages=" + ",".join(
        f"{node}:{pages}" for node, pages in sorted(total.items()) if pages
    )


def _idle(view: View, size: int, asked: dict[str, list[Need]]) -> Iterator[Seen]:
    free = sum(free_pages(view.host, size).values())
    if not free:
        return
    coming = sum(need.pages for one in view.domains if not one.running for need in asked[one.uuid])
    idle = (free - coming) * size
    if idle * 100 <= view.value(IDLE) * view.host.kernel.memory_bytes:
        return
    yield Seen(
        saw=f"{free} pages of {format_bytes(size)} are free and all defined guests that do not run need {coming}, so "
        f"{format_bytes(idle)} of {format_bytes(view.host.kernel.memory_bytes)} serve nobody (free_hugepages)",
        severity=Severity.MEDIUM,
        sure=Sure.LIKELY,
        safety=Safety.MANUAL,
        by_hand=(
            "If no guest is going to use them, lower the pool on each node that has too many, for example:",
            f"echo PAGES | sudo tee /sys/devices/system/node/nodeN/hugepages/{size_words(size)}/nr_hugepages",
            "and lower hugepages= on the kernel's command line, vm.nr_hugepages in sysctl.d, or the tmpfiles.d line.",
        ),
        note="not measured: how long they have been idle; guests defined elsewhere are not known here",
        subject=f"hugepages/{size_words(size)}/idle",
    )


def _by_luck(view: View, size: int, asked: dict[str, list[Need]]) -> Iterator[Seen]:
    extra = view.host.kernel.sysctl("vm.nr_overcommit_hugepages")
    count = sum(need.pages for found in asked.values() for need in found)
    total = sum(all_pages(view.host, size).values())
    if extra is None or not extra.isdecimal() or int(extra) == 0 or count <= total:
        return
    yield Seen(
        saw=f"vm.nr_overcommit_hugepages is {extra}, the pool has {total} pages of {format_bytes(size)} and all "
        f"defined guests need {count}",
        severity=Severity.MEDIUM,
        safety=Safety.MANUAL,
        by_hand=(
            f"sudo sysctl -w vm.nr_hugepages={count}  # then read it back: the kernel may have found fewer",
            f"echo 'vm.nr_hugepages = {count}' | sudo tee /etc/sysctl.d/99-local.conf",
            "sudo sysctl -w vm.nr_overcommit_hugepages=0",
        ),
        note="surplus pages are looked for when a guest starts, and found by luck",
        subject="hugepages/overcommit",
    )
