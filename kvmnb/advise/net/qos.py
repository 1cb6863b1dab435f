"""A guest runs into the bandwidth that it is allowed.

What is seen
    A running guest's interface with ``bandwidth/inbound`` or ``outbound`` and an average. It is a finding only while
    the traffic stays at 90 % of that or more for half a minute: a rate, which needs a window. Without a limit
    nothing is found. The limit of a libvirt network is not seen here.

Why it hurts
    The host shapes the traffic (tc); in the guest that looks like a slow network, with nothing that says why.

What to do
    Raise the limit while the guest runs: ``virsh domiftune GUEST IFACE --inbound AVERAGE --live --config``. The
    unit is KiB a second: 125000 is about 1 Gbit/s.

Leave it when
    The limit is a product that somebody bought, or keeps neighbours apart.

Cost
    Works at once and lasts with ``--config``. Durability: none. Migration: goes along. Security: a higher limit lets
    one guest take more of what all share.

Look by hand
    ``virsh domiftune GUEST IFACE``; ``tc -s qdisc show dev vnetN``.

Measure it
    ``virsh domifstat GUEST IFACE`` twice, half a minute apart, against the average.

Sources
    * libvirt, Domain XML format, Quality of service
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import brief, joined, nic_rates, over
from kvmnb.advise.net.wires import wires_of
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import KIB
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="net.qos",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.WINDOW,
    effect_basis="heuristic: it gives back the bandwidth that the limit withholds",
)

NEAR = Threshold(
    name="net.qos.near",
    default=90.0,
    unit="%",
    least=1.0,
    most=100.0,
    meaning="a rate of so much of its limit is held back by it",
)
LONG = Threshold(
    name="net.qos.seconds",
    default=30,
    unit="s",
    least=1,
    most=86_400,
    meaning="a shorter window may show a burst, and its finding says so",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each way that works at its limit; not checked where only a rate could tell."""
    live = domain.live if domain.running else None
    for wire in wires_of(live) if live is not None else ():
        one = wire.interface
        if one.inbound_kib_per_second is None and one.outbound_kib_per_second is None:
            continue
        name = shell_word(domain.name)
        traffic = nic_rates(view, one.target, f"traffic of {wire.key}, which has a bandwidth limit,")
        # What its tap sends goes towards the guest.
        for way, limit, rate in (
            ("inbound", one.inbound_kib_per_second, traffic.tx_bytes_per_second),
            ("outbound", one.outbound_kib_per_second, traffic.rx_bytes_per_second),
        ):
            if limit and rate * 100 >= view.value(NEAR) * limit * KIB:
                yield Seen(
                    saw=f"{wire.key}: {rate / KIB:.0f} KiB/s {way} {over(view)} (/proc/net/dev) at a limit of {limit} "
                    "KiB/s (live XML, bandwidth)",
                    sure=Sure.LIKELY,
                    safety=Safety.MANUAL,
                    by_hand=(f"virsh domiftune {name} {shell_word(wire.key)} --{way} AVERAGE --live --config",),
                    note=joined("whether the limit is meant, a person knows", brief(view, LONG)),
                    subject=f"{wire.subject}/{way}",
                )
