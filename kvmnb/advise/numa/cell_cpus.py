"""The guest's cells do not name each vCPU once.

What is seen
    The vCPUs of all ``cpu/numa/cell`` together are not exactly those that the guest may have, also those that are
    plugged in later; or one vCPU is in two cells. The configuration alone shows it. libvirt fills gaps when it
    stores an XML, so this is mostly seen in an XML that is still to be defined.

Why it hurts
    libvirt puts what is left over into cell 0 without a word: the guest's nodes are then lopsided, and its scheduler
    balances what is not even.

What to do
    Name every possible vCPU in exactly one cell, in the order of the sockets.

Leave it when
    The machine type wants it otherwise; none on x86 does.

Cost
    The guest sees another machine after its next start. Durability: none. Migration: every host starts it with the
    same cells. Security: none.

Look by hand
    ``virsh dumpxml GUEST | grep -A6 '<numa>'``.

Measure it
    ``numactl -H`` in the guest; the XML that libvirt gives back is the one that was written.

Sources
    * libvirt, Domain XML format, CPU model and topology (numa)
    * libvirt release notes 6.4.0
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="numa.cell_cpus",
    severity=Severity.MEDIUM,
    goals=(Goal.BALANCED, Goal.THROUGHPUT),
    basis="documented+tested",
    effect=Effect.INDIRECT,
    effect_basis="documented: the guest is told the truth",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where vCPUs are missing, too many, or named twice."""
    wanted = domain.wanted
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    if not cells:
        return
    every, named = CpuSet(range(wanted.vcpus)), union(cell.cpus for cell in cells)
    twice = CpuSet(vcpu for vcpu in named if sum(vcpu in cell.cpus for cell in cells) > 1)
    wrong = [
        f"{words} {vcpus}"
        for words, vcpus in (
            ("no cell has vCPUs", every - named),
            ("the guest does not have vCPUs", named - every),
            ("two cells have vCPUs", twice),
        )
        if vcpus
    ]
    if wrong:
        yield Seen(
            saw=f"{'; '.join(wrong)}: the guest has {wanted.vcpus} vCPUs (persistent XML, cpu/numa/cell)",
            safety=Safety.MANUAL,
            by_hand=(f"virsh edit {shell_word(domain.name)}  # name each of vCPUs {every} in one cell",),
            note="libvirt puts vCPUs that are left over into cell 0",
        )
