"""The queues of a virtio NIC do not fit the guest's vCPUs.

What is seen
    A virtio NIC on a tap or macvtap with more queues than the guest has vCPUs, with more than the 256 that a tap
    takes, or with one queue in a guest of two or more vCPUs. The last is a pattern that only hurts under load (a
    vhost thread at 80 % of a CPU, or 300,000 packets a second): the configuration shows the pattern, a measurement
    whether it matters. Whether the guest uses all its queues is not seen from here.

Why it hurts
    Unlike a disk, a virtio NIC has one queue unless more are asked for; one kernel thread on one CPU then moves all
    packets. Queues beyond the vCPUs are never used and cost interrupts, memory and threads.

What to do
    As many queues as vCPUs, but 4 to begin with; 8 from 25 Gbit/s on or with very many flows. "As many as vCPUs"
    is too many for large guests. Linux guests take all of them into use by themselves; ``ethtool -L`` is needed
    only in old ones and after a vCPU was plugged in. A single TCP flow does not get faster.

Leave it when
    The guest moves little, or one flow; or the host's CPUs are short, as each queue brings a busy thread.

Cost
    The guest has to be shut down and started. Durability: none. Migration: the number of queues is part of what the
    guest sees and must be the same on both sides. Security: none. More kernel threads and interrupts.

Look by hand
    ``virsh dumpxml GUEST --xpath //interface/driver``; in the guest ``ethtool -l IFACE``; ``top -H`` for ``vhost-``.

Measure it
    ``iperf3 -P 8`` before and after, with the CPU share of each ``vhost-PID`` thread.

Sources
    * libvirt, Domain XML format, Setting NIC driver-specific options (queues)
    * libvirt release notes 11.4.0 (queues are part of the guest's ABI)
    * Linux source, drivers/net/virtio_net.c and drivers/net/tap.c (queues at start, at most 256)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, over, seen_guest
from kvmnb.advise.net.wires import Wire, changing, wires
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="net.queues",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT,),
    basis="heuristic",
    effect=Effect.MODERATE,
    seen_by=SeenBy.SURER,
    effect_basis="heuristic: packets per second grow with the queues until the NIC or the vCPUs are full",
)

# Linux, include/linux/if_tun.h and if_macvlan.h: a tap takes no more.
TAP_QUEUES = 256
BUSY_VHOST = Threshold(
    name="net.queues.busy",
    default=80.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a vhost thread that runs so much of the time is the limit",
)
FIRST_QUEUES = Threshold(
    name="net.queues.first",
    default=4,
    unit="queues",
    least=2,
    most=256,
    meaning="so many to begin with, where there is one",
)
MOST_QUEUES = Threshold(
    name="net.queues.max",
    default=8,
    unit="queues",
    least=1,
    most=256,
    meaning="more bring nothing",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each NIC whose queues are too many, or only one."""
    wanted = domain.wanted
    for wire in wires(domain):
        if not wire.tap:
            continue
        queues = wire.interface.queues or 1
        if queues > TAP_QUEUES:
            saw = f"{wire.key} asks for {queues} queues, and a tap takes {TAP_QUEUES}, so the guest does not start"
            yield _set(domain, wire, saw, min(wanted.vcpus, view.value(MOST_QUEUES)))
        elif queues > wanted.vcpus:
            saw = f"{wire.key} has {queues} queues for {wanted.vcpus} vCPUs"
            yield _set(domain, wire, saw, min(wanted.vcpus, view.value(MOST_QUEUES)))
        # A tap that was made outside has as many queues as its maker gave it.
        elif queues == 1 and wanted.vcpus_current > 1 and wire.interface.type != "ethernet":
            saw = f"{wire.key} has one queue for {wanted.vcpus_current} vCPUs"
            sure, note, severity = _loaded(domain, view)
            yield _set(domain, wire, saw, min(wanted.vcpus_current, view.value(FIRST_QUEUES)), sure, note, severity)


def _loaded(domain: Domain, view: View) -> tuple[Sure, str, Severity | None]:
    """How sure and how grave one queue is, by what the busiest vhost thread did over the window."""
    guest = seen_guest(view, domain)
    vhosts = [thread.run_ratio for thread in guest.threads if thread.kind == "vhost"] if guest is not None else []
    if not vhosts:
        return Sure.LIKELY, NOT_MEASURED, None
    note = f"its busiest vhost thread ran {max(vhosts):.0%} of the time {over(view)}"
    busy = max(vhosts) * 100 >= view.value(BUSY_VHOST)
    return (Sure.CERTAIN, note, None) if busy else (Sure.LIKELY, note, Severity.LOW)


def _set(
    domain: Domain,
    wire: Wire,
    saw: str,
    queues: int,
    sure: Sure = Sure.CERTAIN,
    note: str | None = None,
    severity: Severity | None = None,
) -> Seen:
    return changing(
        domain,
        wire,
        f"{saw} (persistent XML, interface/driver/@queues and vcpu)",
        {"driver/@queues": str(queues)},
        costs=("migration: both sides must have the same number of queues", "one kernel thread for each queue"),
        by_hand=f"<driver queues='{queues}'/> for {wire.key!r}",
        severity=severity,
        sure=sure,
        note=note,
    )
