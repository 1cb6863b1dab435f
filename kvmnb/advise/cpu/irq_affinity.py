"""Devices interrupt the CPUs that vCPUs have alone.

What is seen
    A device's interrupt goes to a CPU that a vCPU of a running guest is pinned to alone. The setting shows where it
    goes, which makes it likely. Over a window it is seen how many such a CPU took of devices: above 1000 a second it
    is certain, and below that hardly worth a word.

Why it hurts
    Each interrupt on the host takes the vCPU out of the guest. More than 1000 a second are felt. irqbalance knows
    nothing of pins and spreads interrupts over them.

What to do
    Tell irqbalance to leave the guests' CPUs alone, and send the interrupts of network cards and disks to the other
    CPUs of the device's node. Interrupts that the kernel manages itself (most NVMe queues) answer with an error and
    need ``isolcpus=managed_irq,...`` at boot. Lasting: ``IRQBALANCE_BANNED_CPULIST`` in irqbalance's configuration,
    or a TuneD profile with ``banned_cpus``.

Leave it when
    The interrupt is that of the guest's own device, or it hardly ever comes.

Cost
    Works at once. Too few CPUs left for interrupts become the bottleneck. Durability, migration, security: none.

Look by hand
    ``cat /proc/interrupts``; ``grep . /proc/irq/*/effective_affinity_list``; ``virsh vcpupin GUEST``.

Measure it
    Two looks at ``/proc/interrupts`` ten seconds apart: the columns of those CPUs stand still.

Sources
    * Linux documentation, SMP IRQ affinity
    * Linux documentation, CPU Isolation
    * TuneD, profile cpu-partitioning
    * 1000 a second is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, over, seen_cpu
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.interrupt import Interrupt

RULE = Rule(
    id="cpu.irq.affinity",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.SMALL,
    seen_by=SeenBy.SURER,
    effect_basis="heuristic: evener answers and some more packets, the mean hardly moves",
)

OFTEN = Threshold(
    name="cpu.irq.affinity.often",
    default=1000,
    unit="interrupts/s",
    least=0,
    most=100_000_000,
    meaning="more on one CPU are felt by the vCPU there",
)
# More are told by their number only.
MOST_IN_WORDS = 6


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """One finding for all interrupts that go to such CPUs."""
    interrupts = [one for one in view.host.interrupts if one.name]
    if not interrupts:
        return
    taken = ground(view).taken_by_running
    hits = [(one, cpus) for one in interrupts if (cpus := _goes_to(one) & taken)]
    if not hits:
        return
    listed = "; ".join(f"{one.number} ({one.name[:40]}) on {cpus}" for one, cpus in hits[:MOST_IN_WORDS])
    more = f"; and {len(hits) - MOST_IN_WORDS} more" if len(hits) > MOST_IN_WORDS else ""
    balancer = any(one.name == "irqbalance" and one.running for one in view.host.kernel.owners)
    severity, sure, note = _felt(CpuSet(cpu for _, cpus in hits for cpu in cpus), view)
    yield Seen(
        saw=f"vCPUs of running guests have CPUs {taken} alone, and interrupts go there: {listed}{more} "
        "(/proc/irq/*/effective_affinity_list)",
        severity=severity,
        sure=sure,
        safety=Safety.MANUAL,
        by_hand=(
            f"IRQBALANCE_BANNED_CPULIST={taken}  # in /etc/default/irqbalance or /etc/sysconfig/irqbalance",
            "sudo systemctl restart irqbalance",
        )
        if balancer
        else tuple(
            f"echo CPUS | sudo tee /proc/irq/{one.number}/smp_affinity_list  # CPUs that no guest has alone"
            for one, _ in hits[:MOST_IN_WORDS]
        ),
        note=note,
        subject="interrupts",
    )


def _felt(cpus: CpuSet, view: View) -> tuple[Severity | None, Sure, str]:
    """How grave and how sure it is, by the CPU that took the most interrupts."""
    loads = [one for cpu in cpus if (one := seen_cpu(view, cpu)) is not None]
    rates = [(one.interrupts_per_second, one.cpu) for one in loads if one.gap_of("interrupts_per_second") is None]
    if not rates:
        return Severity.LOW, Sure.LIKELY, f"{NOT_MEASURED}: how often these interrupts come was not seen"
    most, cpu = max(rates)
    note = f"CPU {cpu} took most of them: {most:.0f} interrupts/s of devices {over(view)}"
    return None if most > view.value(OFTEN) else Severity.INFO, Sure.CERTAIN, note


def _goes_to(one: Interrupt) -> CpuSet:
    """The CPUs that it does go to; before Linux 4.15 only a mask of one CPU tells it."""
    if one.effective_affinity is not None:
        return one.effective_affinity
    return one.affinity if len(one.affinity) == 1 else CpuSet()
