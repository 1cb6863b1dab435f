"""A Linux guest is given slow timers.

What is seen
    The guest is no Windows, runs on x86 under KVM, and its ``clock`` leaves ``hpet`` present or takes ``kvmclock``
    away. The configuration alone shows it; which clock the guest uses is not seen.

Why it hurts
    A guest that falls back to the HPET leaves for the host at each look at the clock; the HPET also ticks for
    nothing. kvm-clock and the TSC need no exit.

What to do
    ``hpet`` absent, ``kvmclock`` left on; where nothing is said, ``rtc`` with tickpolicy catchup and ``pit`` with
    tickpolicy delay, as virt-install writes them.

Leave it when
    An old system in the guest needs the HPET.

Cost
    The guest has to stop and start. Durability: none. Migration: it sees the same timers everywhere. Security: none.

Look by hand
    ``virsh dumpxml GUEST | grep -A5 '<clock'``; in the guest
    ``cat /sys/devices/system/clocksource/clocksource0/current_clocksource``.

Measure it
    In the guest, how many looks at the clock a second a small loop makes, before and after.

Sources
    * libvirt, Domain XML format, Time keeping
    * QEMU, Paravirtualized KVM features
    * OpenStack Nova, the timers that it writes for guests
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.advise.win.ground import DECIDED_BY_A_PERSON, costs_of, timer_of, timer_want
from kvmnb.facts.domain import Domain
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="dev.timer.linux",
    severity=Severity.LOW,
    goals=(Goal.LATENCY, Goal.DENSITY),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: fewer exits while the guest is idle",
)

_X86 = ("x86_64", "i686")
# Systems that libosinfo or a person may name and that are neither Linux nor Windows.
_OTHERS = ("bsd", "solaris", "apple", "macos", "haiku")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all timers."""
    wanted = domain.wanted
    if wanted.virt_type != "kvm" or wanted.arch not in _X86 or view.windows(domain):
        return
    said = view.intent.said(domain)
    system = (said.os or wanted.os_id or "").lower()
    if any(word in system for word in _OTHERS):
        return
    hpet, kvmclock = timer_of(wanted, "hpet")[0], timer_of(wanted, "kvmclock")[0]
    wrong = []
    wants: dict[str, Want] = {}
    if hpet is not False:
        wrong.append("hpet is not switched off")
        wants |= _named(timer_want(domain, "hpet", "present", "no"))
    if kvmclock is False:
        wrong.append("kvmclock is switched off")
        wants |= _named(timer_want(domain, "kvmclock", "present", "yes"))
    if not wrong:
        return
    for name, policy in (("rtc", "catchup"), ("pit", "delay")):
        if timer_of(wanted, name) == (None, None):
            wants |= _named(timer_want(domain, name, "tickpolicy", policy))
    alone = domain.inactive is None
    yield Seen(
        saw=f"{'; '.join(wrong)} (persistent XML, clock/timer)",
        wants=() if alone else tuple(wants.values()),
        sure=Sure.CERTAIN if system else Sure.LIKELY,
        safety=Safety.MANUAL if alone else Safety.DISRUPTIVE,
        costs=() if alone else costs_of(domain),
        by_hand=("Make the guest anew with these timers.",) if alone else (),
        note=DECIDED_BY_A_PERSON
        if alone
        else None
        if system
        else "nothing says which system the guest runs; it is taken for Linux since nothing speaks of Windows",
    )


def _named(wants: tuple[Want, ...]) -> dict[str, Want]:
    return {str(want.tunable): want for want in wants}
