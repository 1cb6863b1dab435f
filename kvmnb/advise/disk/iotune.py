"""A disk works at the limit that was set for it.

What is seen
    A disk of the guest has limits (``iotune``, a throttle group). The rule speaks where a measured rate is at 90 per
    cent of one of them or more for 30 seconds; no window measures that yet, so a guest with limits is not checked.

Why it hurts
    It looks like a slow disk: requests queue before the limit, and the guest sees that as latency.

What to do
    Raise the limit, or allow bursts (``total_iops_sec_max`` with ``total_iops_sec_max_length``), live and lasting:
    ``virsh blkdeviotune GUEST vda --total-iops-sec N --live --config``. Below about 2 MiB a second guests time out.

Leave it when
    The limit is what the guest was sold, or it shields its neighbours.

Cost
    Works at once, needs no restart. Durability: none. Migration: none. Security: neighbours get less of the device.

Look by hand
    ``virsh blkdeviotune GUEST vda`` beside the rates of ``virsh domstats --block GUEST``.

Measure it
    The rates of ``virsh domstats --block`` over 30 seconds, before and after.

Sources
    * libvirt, Domain XML format, iotune
    * QEMU manual, throttling (the smallest limit that is safe)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import data_disks
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import no_window
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="disk.iotune",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="heuristic",
    effect=Effect.LARGE,
    effect_basis="heuristic: it gives back the capacity that the limit withholds",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """Nothing where there are no limits; NotSeen where there are, since their use is a rate."""
    for config in (domain.wanted, domain.live):
        if config is None:
            continue
        for disk in data_disks(config):
            if disk.throttled or disk.throttle_filters:
                raise no_window(f"the rates of disk {disk.target} beside its limits")
    yield from ()
