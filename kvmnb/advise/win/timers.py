"""A Windows guest has slow or drifting clocks.

What is seen
    The guest runs Windows, and its ``clock`` lacks the timer ``hypervclock``, leaves ``hpet`` present, or lets
    ``rtc`` lose ticks. A clock that is not kept in local time is only worth a word. The configuration alone shows it.

Why it hurts
    With ``hypervclock`` Windows reads the time from a page of its own memory; the HPET costs an exit each time. Ticks
    that are lost and not caught up make its clock late. Windows takes the clock of the machine for local time.

What to do
    ``hypervclock`` present, ``hpet`` absent, ``rtc`` with tickpolicy catchup, ``pit`` with tickpolicy delay. The
    offset is left alone: a change moves the guest's time once.

Leave it when
    A program in the guest needs the HPET, or the guest was installed to take the clock for UTC.

Cost
    The guest has to stop and start. Durability: none. Migration: the other host needs a TSC of the same speed, or
    TSC scaling. Security: none.

Look by hand
    ``virsh dumpxml GUEST | grep -A6 '<clock'``.

Measure it
    In the guest, the frequency of ``QueryPerformanceFrequency`` is 10 MHz with the reference page; idle CPU time
    falls.

Sources
    * libvirt, Domain XML format, Time keeping
    * QEMU, Hyper-V Enlightenments (hv-time)
    * OpenStack Nova, the timers that it writes for guests
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.advise.voice import Voice
from kvmnb.advise.win.ground import (
    DECIDED_BY_A_PERSON,
    costs_of,
    how_sure,
    judged,
    timer_of,
    timer_want,
    why_windows,
)
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="win.timers",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.BALANCED, Goal.DENSITY),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: less CPU time when idle, and clocks that do not drift",
    voices={Overlay.WINDOWS: Voice(why="the guests run Windows, whatever the goal is")},
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all timers, one for the offset."""
    if not judged(domain, view):
        return
    tuning = domain.wanted.tuning
    offset = tuning.clock_offset or "utc"
    if offset == "utc":
        yield Seen(
            saw="clock/@offset is utc (persistent XML)",
            severity=Severity.INFO,
            sure=how_sure(domain, view),
            safety=Safety.MANUAL,
            by_hand=(
                f"virsh edit {shell_word(domain.name)}  # clock offset='localtime', if Windows shows a wrong time",
            ),
            note=f"{why_windows(domain, view)}; a change moves the guest's time once",
            subject="offset",
        )
    wrong = tuple(_wrong(domain))
    if not wrong:
        return
    saw = f"{'; '.join(sentence for sentence, _, _, _ in wrong)} (persistent XML, clock/timer)"
    if domain.inactive is None:
        yield Seen(
            saw=saw,
            sure=how_sure(domain, view),
            safety=Safety.MANUAL,
            by_hand=("Make the guest anew with these timers.",),
            note=DECIDED_BY_A_PERSON,
        )
        return
    wants: dict[str, Want] = {}
    for _, name, attribute, value in wrong:
        wants |= {str(want.tunable): want for want in timer_want(domain, name, attribute, value)}
    if timer_of(domain.wanted, "pit") == (None, None):
        wants |= {str(want.tunable): want for want in timer_want(domain, "pit", "tickpolicy", "delay")}
    yield Seen(
        saw=saw,
        wants=tuple(wants.values()),
        sure=how_sure(domain, view),
        safety=Safety.DISRUPTIVE,
        costs=costs_of(domain),
        note=why_windows(domain, view),
    )


def _wrong(domain: Domain) -> Iterator[tuple[str, str, str, str]]:
    """What is wrong: a sentence, the timer, its attribute and the better value."""
    wanted = domain.wanted
    if timer_of(wanted, "hypervclock")[0] is not True:
        yield "hypervclock is not present", "hypervclock", "present", "yes"
    if timer_of(wanted, "hpet")[0] is not False:
        yield "hpet is not switched off", "hpet", "present", "no"
    if (policy := timer_of(wanted, "rtc")[1]) != "catchup":
        yield f"rtc has tickpolicy {policy or 'delay, the default'}", "rtc", "tickpolicy", "catchup"
