"""Running guests have more vCPUs than the host has CPUs to give.

What is seen
    The vCPUs of all running guests, as they are plugged in now, against the host's online CPUs and its physical
    cores. More vCPUs than CPUs is worth knowing where the goal is latency or throughput; more than three for each
    CPU is often too many, more than five is beyond what is supported by a large vendor, more than ten for each
    core is beyond any advice.

Why it hurts
    vCPUs that want to run wait in line. The guest sees that as stolen time, the host's own user and system times
    show nothing. The count alone proves no harm: idle vCPUs take little. The proof is run delay.

What to do
    First take vCPUs away that nobody uses, then move guests to other hosts. Do not pin on a host like this.

Leave it when
    The guests are mostly idle at the same time, as with desktops or test machines: that is what density is for.

Cost
    Nothing is changed from here. Taking a vCPU out of a running guest needs the guest's help. Durability,
    migration, security: none.

Look by hand
    ``virsh list --name`` and ``virsh vcpucount GUEST --live --active``; ``nproc`` on the host.

Measure it
    ``vcpu.N.delay`` in ``virsh domstats --vcpu``, as a share of time; ``some avg60`` in ``/proc/pressure/cpu``;
    stolen time (``st``) inside the guests. Below one per cent is well.

Sources
    * Red Hat, Configuring and managing Linux virtual machines (RHEL 10), optimizing vCPUs (5 and 10 to one)
    * libvirt, virConnectGetAllDomainStats (vcpu.N.delay)
    * The limit of three for each CPU is a heuristic; it counts in full only together with measured delay
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, mean_delay, over, seen_guest
from kvmnb.advise.rule import ALL_GOALS, Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="cpu.overcommit",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented and heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="documented ratios, heuristic delay: it ends the waiting for a CPU",
)

WAITING = Threshold(
    name="cpu.overcommit.waiting",
    default=5.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="with a longer mean run delay of some guest it is certain, and with a shorter one less grave",
)
RATIO_INFO = Threshold(
    name="cpu.overcommit.some",
    default=1.0,
    unit="vCPUs per CPU",
    least=0.1,
    most=1000.0,
    meaning="above this somebody may wait at all; told for the goals latency and throughput",
)
RATIO_WARN = Threshold(
    name="cpu.overcommit.medium",
    default=3.0,
    unit="vCPUs per CPU",
    least=0.1,
    most=1000.0,
    meaning="above this it is worth a word for every goal",
)
RATIO_HIGH = Threshold(
    name="cpu.overcommit.high",
    default=5.0,
    unit="vCPUs per CPU",
    least=0.1,
    most=1000.0,
    meaning="above this it is grave",
    basis="documented",
    source="Red Hat, RHEL 10: at most five vCPUs for each hardware thread",
)
PER_CORE_CRITICAL = Threshold(
    name="cpu.overcommit.critical",
    default=10.0,
    unit="vCPUs per core",
    least=0.1,
    most=1000.0,
    meaning="above this nothing else counts",
    basis="documented",
    source="Red Hat, RHEL 10: at most ten vCPUs for each core",
)
LARGEST_TOLD = 3


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where the running vCPUs exceed what the goal allows."""
    running = [(_vcpus(domain), domain) for domain in view.domains if domain.running]
    vcpus = sum(count for count, _ in running)
    if vcpus == 0:
        return
    here = ground(view)
    cpus, cores = len(here.online), here.cores
    ratio, per_core = vcpus / cpus, vcpus / cores
    if per_core > view.value(PER_CORE_CRITICAL):
        severity = Severity.CRITICAL
    elif ratio > view.value(RATIO_HIGH):
        severity = Severity.HIGH
    elif ratio > view.value(RATIO_WARN):
        severity = Severity.MEDIUM
    elif ratio > view.value(RATIO_INFO) and view.goal() in (Goal.LATENCY, Goal.THROUGHPUT):
        severity = Severity.INFO
    else:
        return
    delays = [delay for _, domain in running if (delay := mean_delay(seen_guest(view, domain))) is not None]
    worst = max(delays, default=None)
    waiting = worst is not None and worst * 100 >= view.value(WAITING)
    if worst is not None and not waiting and severity is Severity.MEDIUM:
        severity = Severity.LOW
    largest = sorted(running, key=lambda one: (-one[0], one[1].name))[:LARGEST_TOLD]
    names = ", ".join(f"{domain.name!r} with {count}" for count, domain in largest)
    yield Seen(
        saw=f"{vcpus} vCPUs of {len(running)} running guests (live XML, vcpu) on {cpus} online CPUs of {cores} cores "
        f"(/sys/devices/system/cpu/online): {ratio:.1f} vCPUs for each CPU, {per_core:.1f} for each core; "
        f"the largest are {names}",
        severity=severity,
        sure=Sure.CERTAIN if waiting else Sure.LIKELY,
        safety=Safety.MANUAL,
        by_hand=(
            "Find guests that use few of their vCPUs, and take some away:",
            "virsh setvcpus GUEST COUNT --live --config",
        ),
        note=_waited(worst, view),
    )


def _waited(worst: float | None, view: View) -> str:
    if worst is None:
        return f"{NOT_MEASURED}: run delay would prove it"
    return f"the vCPUs of the guest that waits most were ready without a CPU {worst:.1%} of the time {over(view)}"


def _vcpus(domain: Domain) -> int:
    """The vCPUs that are plugged in now."""
    live = domain.live
    return live.vcpus_current if live is not None else domain.wanted.vcpus_current
