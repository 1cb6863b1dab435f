"""A busy guest has vCPUs that are not plugged in.

What is seen
    The guest has fewer vCPUs than it may have, all of them are more than 90 % busy for five minutes, and the host has
    CPU time to spare. This is a matter of rates: one look does not show it, so without a window the rule says "not
    checked" for a guest that has room, and nothing for others.

Why it hurts
    The guest waits for itself while both sides have what it needs.

What to do
    ``virsh setvcpus GUEST N --live --config``; where the guest's system does not switch new vCPUs on by itself,
    ``virsh setvcpus GUEST N --guest`` does it through the agent.

Leave it when
    The number is part of a contract, or a program in the guest counts CPUs only at its start.

Cost
    Works live; taking a vCPU away again needs the guest's help. Durability: none. Migration: the other host needs
    the same maximum. Security: none.

Look by hand
    ``virsh vcpucount GUEST``; ``virsh domstats --vcpu GUEST``; ``cat /proc/pressure/cpu``.

Measure it
    ``vcpu.N.time`` of ``virsh domstats`` over five minutes, and ``some avg60`` in the host's ``/proc/pressure/cpu``.

Sources
    * libvirt, Domain XML format, CPU Allocation
    * libvirt API, virDomainSetVcpusFlags
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import brief, guest_rates, mean_delay, over
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="cpu.hotplug",
    severity=Severity.LOW,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.WINDOW,
    effect_basis="heuristic: near to linear where the load is parallel, nothing where it is not",
)

BUSY = Threshold(
    name="cpu.hotplug.busy",
    default=90.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a guest whose every vCPU runs more of the time has none left",
)
WAITING = Threshold(
    name="cpu.hotplug.waiting",
    default=5.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="where its vCPUs wait for less of the time, the host has some left",
)
LONG = Threshold(
    name="cpu.hotplug.seconds",
    default=300,
    unit="s",
    least=1,
    most=86_400,
    meaning="a shorter window may show a burst, and its finding says so",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where all vCPUs that are plugged in are busy; not checked without a window."""
    runs = domain.live if domain.running else None
    if runs is not None and runs.vcpus_current < runs.vcpus:
        guest = guest_rates(view, domain, f"how busy the {runs.vcpus_current} of {runs.vcpus} vCPUs are")
        least = min((vcpu.run_ratio for vcpu in guest.vcpus), default=0.0)
        waits = mean_delay(guest) or 0.0
        busy = view.value(BUSY)
        if least * 100 > busy and waits * 100 < view.value(WAITING):
            more = min(runs.vcpus, 2 * runs.vcpus_current)
            yield Seen(
                saw=f"each of its {runs.vcpus_current} vCPUs runs more than {busy:g} % of the time {over(view)} "
                f"(/proc, schedstat; the least {least:.0%}), they wait {waits:.1%}, and it may have {runs.vcpus}",
                sure=Sure.LIKELY,
                safety=Safety.MANUAL,
                by_hand=(
                    f"virsh setvcpus {shell_word(domain.name)} {more} --live --config  # its system brings them up",
                ),
                note=brief(view, LONG),
            )
