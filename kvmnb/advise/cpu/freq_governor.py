"""The host's clock policy holds the CPUs back.

What is seen
    For each cpufreq policy: a governor that waits for load before it raises the clock, or keeps it low, under a
    driver where the governor decides; an energy preference of ``power`` or ``balance_power``; or a highest clock
    that is set below what the CPU has. Under intel_pstate and amd-pstate in active mode ``powersave`` is a dynamic
    governor and no fault. A host without cpufreq, as in a virtual machine, has nothing to judge.

Why it hurts
    A vCPU that wakes up starts on a slow clock, and the guest has no say in it: short requests take their whole
    time at the low clock. A limit on the highest clock takes its share of every load.

What to do
    Governor ``performance``, or under active p-state drivers the energy preference ``performance``, and no limit on
    the clock. Where TuneD runs, choose a profile (virtual-host) and leave the files to it.

Leave it when
    Power or heat is limited, or the host is idle most of the time and nobody waits. Goals balanced and density
    hear nothing.

Cost
    Works at once, needs no restart, lasts until the next boot or until TuneD sets its own. More power and heat, and
    neighbours on the package may turbo less. Durability, migration, security: none.

Look by hand
    ``grep . /sys/devices/system/cpu/cpufreq/policy*/scaling_governor`` and ``energy_performance_preference``.

Measure it
    ``scaling_cur_freq`` while the guests work, and the slowest one per cent of their request times.

Sources
    * Linux documentation, intel_pstate CPU Performance Scaling Driver
    * Linux documentation, CPU Performance Scaling
    * TuneD, profile throughput-performance
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Frequency
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="cpu.freq.governor",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: mostly the slowest answers at little load; next to nothing at full load",
)

# In these drivers the hardware chooses the clock; the governor's name only says how it leans.
ACTIVE_DRIVERS = ("intel_pstate", "amd-pstate-epp", "amd_pstate_epp")
# Linux documentation, CPU Performance Scaling: these raise the clock late, keep it low, or leave it to a program.
SLOW_GOVERNORS = ("powersave", "ondemand", "conservative", "userspace")
# This one holds the lowest clock whatever the load, which hurts throughput too.
LOWEST_GOVERNOR = "powersave"
SAVING_PREFERENCES = ("power", "balance_power")


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """One finding for all policies of the host, with a want for each setting."""
    policies: dict[int, Frequency] = {}
    cpus_of: dict[int, list[int]] = {}
    for cpu in view.host.cpus:
        if cpu.online and (policy := cpu.frequency) is not None:
            policies[policy.policy] = policy
            cpus_of.setdefault(policy.policy, []).append(cpu.id)
    seen: dict[str, list[int]] = {}
    wants: list[Want] = []
    missing: set[str] = set()
    for number, policy in sorted(policies.items()):
        for sentence, name, value, known in _held_back(policy, view.goal()):
            seen.setdefault(sentence, []).extend(cpus_of[number])
            if known:
                wants.append(Want(Sysfs(f"devices/system/cpu/cpufreq/policy{number}/{name}"), value))
            else:
                missing.add(f"{name} does not offer {value!r}")
    if not seen:
        return
    saw = "; ".join(f"{sentence} on CPUs {CpuSet(cpus)}" for sentence, cpus in seen.items())
    yield Seen(
        saw=f"{saw} (/sys/devices/system/cpu/cpufreq/policy*)",
        wants=tuple(wants),
        safety=Safety.SAFE if wants else Safety.MANUAL,
        costs=("more power and heat",),
        by_hand=() if wants else ("Look in the firmware's settings for a power profile that lets the system choose.",),
        note="; ".join(sorted(missing)) or None,
        subject="cpufreq",
    )


def _held_back(policy: Frequency, goal: Goal) -> Iterator[tuple[str, str, str, bool]]:
    """What holds the clock back: a sentence, the file, the better value and whether it may be written."""
    slow = SLOW_GOVERNORS if goal is Goal.LATENCY else (LOWEST_GOVERNOR,)
    if policy.driver not in ACTIVE_DRIVERS and policy.governor in slow:
        known = "performance" in policy.governors
        yield f"governor {policy.governor} under driver {policy.driver}", "scaling_governor", "performance", known
    if policy.epp in SAVING_PREFERENCES:
        known = "performance" in policy.epps
        text = f"energy preference {policy.epp} under driver {policy.driver}"
        yield text, "energy_performance_preference", "performance", known
    if policy.scaling_max_khz < policy.hardware_max_khz:
        text = f"clock limited to {policy.scaling_max_khz / 1000:g} MHz of {policy.hardware_max_khz / 1000:g} MHz"
        yield text, "scaling_max_freq", str(policy.hardware_max_khz), True
