"""Pages of 1 GiB are asked for that the host cannot be sure to have, or that do not fit the guest.

What is seen
    Some guest asks for pages of 1 GiB, and the kernel's command line reserves none, or the CPU has none (pdpe1gb on
    x86), or the memory of the guest or of one of its cells is not a multiple of 1 GiB. The configuration shows it.

Why it hurts
    Such a page is 1 GiB in one piece: after some hours of work there is hardly one to be found, so the pool comes out
    empty and the guest does not start. A cell of 1.5 GiB cannot be made of such pages at all.

What to do
    ``default_hugepagesz=1G hugepagesz=1G hugepages=N`` on the kernel's command line (``hugepages=0:N,1:M`` for each
    node, Linux 5.16), and a restart of the host. Make each cell a multiple of 1 GiB. A guest that is to use such
    pages inside too needs the CPU feature pdpe1gb, which named models leave out.

Leave it when
    Pages of 2 MiB do: the gain of the large ones is a few per cent, and only with much scattered memory.

Cost
    The host has to be restarted, and the guest too where its size changes. The guest starts slowly, as each page is
    cleared. Durability: none. Migration: the other host needs the same pool. Security: none.

Look by hand
    ``cat /proc/cmdline``; ``grep . /sys/devices/system/node/node*/hugepages/hugepages-1048576kB/nr_hugepages``

Measure it
    ``virsh domstats GUEST --vm``: vm.pages_1g.cur is the guest's GiB.

Sources
    * Linux documentation, HugeTLB Pages
    * QEMU documentation, CPU models for x86 (pdpe1gb)
    * Red Hat Developer, Benchmarking transparent versus 1GiB static huge page performance (2021)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import names_of
from kvmnb.advise.mem.pages import HUGE_SIZE, Need, boot_words, default_size, needs
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="mem.hugepages.1g",
    severity=Severity.LOW,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: single per cents over pages of 2 MiB",
)

_X86 = ("x86_64", "i686")


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where pages of 1 GiB are asked for and not reserved, and one where they do not fit."""
    default = default_size(view)
    asked: list[tuple[Domain, list[Need]]] = []
    for domain in view.domains:
        found = [need for need in needs(domain.wanted, default) if need.size == HUGE_SIZE]
        if found:
            asked.append((domain, found))
    if not asked:
        return
    domains = [domain for domain, _ in asked]
    kernel = view.host.kernel
    lacking = view.host.arch in _X86 and "pdpe1gb" not in kernel.cpu_flags
    if lacking:
        yield _manual(
            f"the CPU has no pages of 1 GiB (no pdpe1gb in /proc/cpuinfo), and these guests ask for them: "
            f"{names_of(domains)}",
            tuple(f"virsh edit {shell_word(one.name)}  # hugepages/page size='2048' unit='KiB'" for one in domains),
            "cpu",
        )
    elif HUGE_SIZE not in boot_words(view):
        pages = sum(need.pages for _, found in asked for need in found)
        yield _manual(
            f"the kernel was started without hugepagesz=1G hugepages=N (/proc/cmdline), and these guests need {pages} "
            f"pages of 1 GiB: {names_of(domains)}",
            (f"sudo grubby --update-kernel=ALL --args='hugepagesz=1G hugepages={pages}'  # then restart the host",),
            "boot",
        )
    uneven = [(domain, _uneven(domain.wanted, default)) for domain in domains]
    uneven = [(domain, sizes) for domain, sizes in uneven if sizes]
    if uneven:
        said = "; ".join(f"{domain.name!r} {', '.join(map(format_bytes, sizes))}" for domain, sizes in uneven)
        yield _manual(
            f"these guests ask for pages of 1 GiB and have memory that is no multiple of it: {said} "
            "(persistent XML: memory, cpu/numa/cell)",
            tuple(
                f"virsh edit {shell_word(domain.name)}  # memory and each cell in whole GiB, or pages of 2 MiB"
                for domain, _ in uneven
            ),
            "sizes",
        )


def _uneven(wanted: Configuration, default: int) -> list[int]:
    """The sizes of memory or cells on such pages that are no multiple of them."""
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    sizes = [cell.memory_bytes for cell in cells] or [wanted.memory_bytes]
    on_huge = [need.size == HUGE_SIZE for need in needs(wanted, default)]
    return [size for size, huge in zip(sizes, on_huge, strict=False) if huge and size % HUGE_SIZE]


def _manual(saw: str, by_hand: tuple[str, ...], subject: str) -> Seen:
    return Seen(saw=saw, safety=Safety.MANUAL, by_hand=by_hand, subject=f"hugepages/1GiB/{subject}")
