"""The host's halt polling does not fit the goal.

What is seen
    The module parameter ``kvm.halt_poll_ns``: 0 where the goal is latency, above 50,000 where it is density, above
    500,000 for any goal. The setting alone shows it; how much polling is in vain takes a window
    (``haltpoll.fail.time``), so for density the finding is only likely.

Why it hurts
    Before a vCPU that has nothing to do gives its CPU back, KVM polls for up to this time, so that a wake-up needs no
    trip through the scheduler. Without it each short wait costs that trip. With too much of it idle guests burn power
    and slow the other thread of the core; polling ends as soon as another task wants the CPU.

What to do
    Latency and balanced: 200000, the default on x86. Density: 50000, or 0. It works at once; to last, put
    ``options kvm halt_poll_ns=200000`` into ``/etc/modprobe.d/kvm.conf``, or ``kvm.halt_poll_ns=200000`` on the
    kernel's command line where kvm is built in. Never raise it for throughput.

Leave it when
    Guests do their own polling (cpuidle-haltpoll), or somebody measured another value here.

Cost
    More polling: power and turbo. Less polling: wake-ups take some microseconds longer. Undone at once. Durability,
    migration, security: none.

Look by hand
    ``grep . /sys/module/kvm/parameters/halt_poll_ns*``; ``virsh domstats --vcpu GUEST | grep haltpoll``.

Measure it
    ``haltpoll.success.time`` and ``haltpoll.fail.time`` of ``virsh domstats`` (libvirt 7.6 and later) over a minute,
    beside the guest's ``cpu.time``: more than 10 % failed is waste.

Sources
    * Linux documentation, The KVM halt polling system
    * Linux documentation, Guest halt polling
    * libvirt release notes 7.6.0
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="kvm.halt_poll",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.DENSITY, Goal.BALANCED),
    basis="documented+heuristic",
    effect=Effect.SMALL,
    effect_basis="documented defaults: some microseconds for each wake-up, against idle CPU time",
)

PARAMETER = "halt_poll_ns"
# Linux, arch/x86/include/asm/kvm_host.h: the default on x86, in nanoseconds.
USUAL = 200_000
DENSE = Threshold(
    name="kvm.halt_poll.dense",
    default=50_000,
    unit="ns",
    least=0,
    most=10000000,
    meaning="the longest polling on a dense host, enough for the shortest waits",
)
TOO_LONG = Threshold(
    name="kvm.halt_poll.too_long",
    default=500_000,
    unit="ns",
    least=1,
    most=1000000000,
    meaning="polling above this is too long for any goal; no architecture has a longer default",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where the longest polling time is wrong for the goal."""
    value = _value(view)
    if value is None:
        return
    goal = view.goal()
    dense = goal is Goal.DENSITY
    too_long, low = view.value(TOO_LONG), view.value(DENSE) if dense else USUAL
    if not (value > too_long or (goal is Goal.LATENCY and value == 0) or (dense and value > low)):
        return
    better = low
    measured = "load not measured: how much polling is in vain was not seen" if dense and value <= too_long else ""
    yield Seen(
        saw=f"halt_poll_ns is {value} ns (/sys/module/kvm/parameters/halt_poll_ns); "
        f"for goal {goal.value} {better} ns is better",
        wants=(Want(Sysfs(f"module/kvm/parameters/{PARAMETER}"), str(better)),),
        severity=Severity.LOW if measured else None,
        sure=Sure.LIKELY if measured else Sure.CERTAIN,
        safety=Safety.SAFE,
        note=measured or None,
        subject=PARAMETER,
    )


def _value(view: View) -> int | None:
    """The parameter in nanoseconds; None where kvm is not loaded or has none."""
    for one in view.host.kernel.parameters:
        if (one.module, one.name) == ("kvm", PARAMETER):
            if one.value is None or not one.value.isdecimal():
                raise NotSeen(Gap(f"host.kernel.parameters[kvm.{PARAMETER}]", f"its value reads {one.value!r}"))
            return int(one.value)
    return None
