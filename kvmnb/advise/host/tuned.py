"""TuneD runs with a profile that is not for hosts of guests.

What is seen
    TuneD runs, and its active profile is ``balanced``, ``powersave``, ``desktop`` or ``virtual-guest`` while guests
    run; ``throughput-performance`` is only worth a word; ``network-latency`` turns transparent hugepages off, which
    hurts guests without hugepages of their own. Only what TuneD names is judged, not a profile made here.

Why it hurts
    TuneD writes its values at each boot and each change of profile. A wrong profile slows CPUs and disks, and it
    takes back what somebody wrote into ``/sys`` by hand.

What to do
    ``tuned-adm profile virtual-host``, or a profile of your own that begins with ``include=virtual-host`` and holds
    what differs here. It lasts over boots.

Leave it when
    The host is a desk machine that runs a guest now and then.

Cost
    Works at once, undone by the old profile's name. More power. Durability: more unwritten data may be held back
    before it is written (dirty limits). Migration: none. Security: none.

Look by hand
    ``tuned-adm active``; ``tuned-adm verify``; ``cat /etc/tuned/active_profile``.

Measure it
    The guests' own load before and after; ``tuned-adm verify`` shows whether the values are in force.

Sources
    * TuneD, profiles virtual-host, throughput-performance and network-latency
    * Red Hat documentation, Optimizing virtual machine performance
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View

RULE = Rule(
    id="host.tuned",
    severity=Severity.MEDIUM,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: several settings at once",
)

# TuneD's own profiles that are for other machines.
OTHER_MACHINES = ("balanced", "powersave", "desktop", "virtual-guest")
# What virtual-host is built on.
NEARLY = "throughput-performance"
NO_THP = "network-latency"


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for the active profile."""
    tuned = next((one for one in view.host.kernel.owners if one.name == "tuned"), None)
    if tuned is None or not tuned.installed or tuned.running is False:
        return
    active = [domain for domain in view.domains if domain.running and domain.live is not None]
    profile = tuned.profile
    if not active or profile is None:
        return
    seen = f"TuneD's profile is {profile} (/etc/tuned/active_profile), and {len(active)} guests run"
    severity = None
    if profile == NEARLY:
        severity = Severity.INFO
    elif profile == NO_THP:
        small = [one.name for one in active if one.live is not None and not one.live.memory_backing.hugepages]
        if not small:
            return
        seen += f"; it turns transparent hugepages off, and {len(small)} of them have no hugepages of their own"
    elif profile not in OTHER_MACHINES:
        return
    yield Seen(
        saw=seen,
        severity=severity,
        sure=Sure.CERTAIN if tuned.running else Sure.LIKELY,
        safety=Safety.MANUAL,
        by_hand=("sudo tuned-adm profile virtual-host", "tuned-adm verify"),
        note=None if tuned.running else "processes cannot be seen here, so whether TuneD runs is not known",
        subject="tuned",
    )
