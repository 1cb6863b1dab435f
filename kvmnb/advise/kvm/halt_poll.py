"""The host's halt polling does not fit the goal.

What is seen
    The module parameter ``kvm.halt_poll_ns``: 0 where the goal is latency, above 50,000 where it is density, above
    500,000 for any goal. The setting alone shows it. For density it is only likely until a window shows how much
    polling is in vain (``haltpoll.fail.time``): above 10 per cent of the guests' CPU time it is certain, and below
    that hardly worth a word.

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
    * 10 per cent is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, over, seen_guest
from kvmnb.advise.rule import Rule, SeenBy
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
    seen_by=SeenBy.SURER,
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
IN_VAIN = Threshold(
    name="kvm.halt_poll.in_vain",
    default=10.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a guest that polls more of its CPU time in vain wastes it",
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
    likely = dense and value <= too_long
    severity, sure, note = _wasted(view) if likely else (None, Sure.CERTAIN, None)
    yield Seen(
        saw=f"halt_poll_ns is {value} ns (/sys/module/kvm/parameters/halt_poll_ns); "
        f"for goal {goal.value} {better} ns is better",
        wants=(Want(Sysfs(f"module/kvm/parameters/{PARAMETER}"), str(better)),),
        severity=severity,
        sure=sure,
        safety=Safety.SAFE,
        note=note,
        subject=PARAMETER,
    )


def _wasted(view: View) -> tuple[Severity | None, Sure, str]:
    """How grave and how sure it is, by the guest that polls most in vain."""
    loads = [one for domain in view.domains if (one := seen_guest(view, domain)) is not None]
    counted = [one for one in loads if one.gap_of("polled_in_vain_ratio") is None]
    shares = [(one.polled_in_vain_ratio, one.name) for one in counted if one.polled_in_vain_ratio is not None]
    if not shares:
        return Severity.LOW, Sure.LIKELY, f"{NOT_MEASURED}: how much polling is in vain was not seen"
    most, name = max(shares)
    note = f"{name!r} polls most in vain: {most:.0%} of its CPU time {over(view)}"
    return None if most * 100 > view.value(IN_VAIN) else Severity.INFO, Sure.CERTAIN, note


def _value(view: View) -> int | None:
    """The parameter in nanoseconds; None where kvm is not loaded or has none."""
    for one in view.host.kernel.parameters:
        if (one.module, one.name) == ("kvm", PARAMETER):
            if one.value is None or not one.value.isdecimal():
                raise NotSeen(Gap(f"host.kernel.parameters[kvm.{PARAMETER}]", f"its value reads {one.value!r}"))
            return int(one.value)
    return None
