"""Deep idle states make the host's CPUs wake up late.

What is seen
    The goal is latency, guests run, and CPUs may enter idle states that take more than 70 µs to leave. The setting
    shows that they may, which makes it likely. Over a window it is seen how often they do: above 100 times a second
    on one CPU it is certain, and below that hardly worth a word.

Why it hurts
    An idle CPU has to wake up before a vCPU on it answers. Leaving a deep state takes longer than all the rest of a
    small request.

What to do
    Let TuneD hold the latency: profile virtual-host allows 70 µs, latency-performance a few. It lasts over boots. A
    program that keeps ``/dev/cpu_dma_latency`` open does the same as long as it runs.

Leave it when
    Power matters more, or the CPUs reach their turbo only while others sleep.

Cost
    Works at once. More power and heat, perhaps less turbo. Durability, migration, security: none.

Look by hand
    ``grep . /sys/devices/system/cpu/cpu0/cpuidle/state*/{name,latency,disable,usage}``; ``tuned-adm active``.

Measure it
    ``usage`` of the deep states over a minute, and the slowest one per cent of the guests' request times.

Sources
    * TuneD, profiles virtual-host and latency-performance
    * Linux documentation, CPU Idle Time Management
    * 100 times a second is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, over, seen_cpu
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet

RULE = Rule(
    id="cpu.freq.cstates",
    severity=Severity.LOW,
    goals=(Goal.LATENCY,),
    basis="documented+heuristic",
    effect=Effect.SMALL,
    seen_by=SeenBy.SURER,
    effect_basis="documented: tens of microseconds for each wake-up, nothing for a busy CPU",
)

LONGEST_US = Threshold(
    name="cpu.freq.cstates.longest",
    default=70,
    unit="µs",
    least=0,
    most=1000000,
    meaning="an idle state that takes longer to leave is deep",
    basis="documented",
    source="TuneD, profile virtual-host: force_latency",
)
OFTEN = Threshold(
    name="cpu.freq.cstates.often",
    default=100,
    unit="times/s",
    least=0,
    most=1_000_000,
    meaning="a CPU that enters deep states more often makes its guests wait",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """One finding for all states of all CPUs."""
    if not any(domain.running for domain in view.domains):
        return
    longest = view.value(LONGEST_US)
    deep: dict[tuple[str, int], list[int]] = {}
    for cpu in view.host.cpus:
        if not cpu.online:
            continue
        for state in cpu.idle_states:
            if state.latency_us > longest and state.disabled is not True:
                deep.setdefault((state.name, state.latency_us), []).append(cpu.id)
    if not deep:
        return
    listed = "; ".join(f"{name} ({latency} µs) on CPUs {CpuSet(cpus)}" for (name, latency), cpus in deep.items())
    severity, sure, note = _entered(deep, view)
    yield Seen(
        saw=f"idle states that take more than {longest} µs to leave are allowed: {listed} (cpu*/cpuidle)",
        severity=severity,
        sure=sure,
        safety=Safety.MANUAL,
        by_hand=("sudo tuned-adm profile virtual-host",),
        note=note,
        subject="cpuidle",
    )


def _entered(deep: Mapping[tuple[str, int], list[int]], view: View) -> tuple[Severity | None, Sure, str]:
    """How grave and how sure it is, by the CPU that entered these states most often."""
    names: dict[int, set[str]] = {}
    for (name, _), cpus in deep.items():
        for cpu in cpus:
            names.setdefault(cpu, set()).add(name)
    rates = [
        (sum(state.entered_per_second for state in load.idle if state.name in mine), cpu)
        for cpu, mine in names.items()
        if (load := seen_cpu(view, cpu)) is not None and load.idle
    ]
    if not rates:
        unseen = "how often CPUs enter these states, and whether a program holds /dev/cpu_dma_latency, was not seen"
        return None, Sure.LIKELY, f"{NOT_MEASURED}: {unseen}"
    most, cpu = max(rates)
    note = f"CPU {cpu} entered them most often: {most:.0f} times/s {over(view)}"
    return None if most > view.value(OFTEN) else Severity.INFO, Sure.CERTAIN, note
