"""A disk works at the limit that was set for it.

What is seen
    A disk of the guest has limits (``iotune``, a throttle group). The rule speaks where a measured rate is at 90 per
    cent of one of them or more for 30 seconds: that needs a window. Limits that disks share are not checked.

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

from kvmnb.advise.apart import apart
from kvmnb.advise.disk.change import data_disks, subject
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import brief, disk_rates, joined, over
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.iotune",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.WINDOW,
    effect_basis="heuristic: it gives back the capacity that the limit withholds",
)

NEAR = Threshold(
    name="disk.iotune.near",
    default=90.0,
    unit="%",
    least=1.0,
    most=100.0,
    meaning="a rate of so much of its limit is held back by it",
)
LONG = Threshold(
    name="disk.iotune.seconds",
    default=30,
    unit="s",
    least=1,
    most=86_400,
    meaning="a shorter window may show a burst, and its finding says so",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each limit that a disk works at; not checked without a window."""
    runs = domain.live if domain.live is not None else domain.wanted
    limited = {disk.target for config in (domain.wanted, runs) for disk in data_disks(config) if _limited(disk)}
    disks = [disk for disk in data_disks(runs) if disk.target in limited]
    yield from apart(view, disks, lambda disk: _judged(domain, disk, view))


def _limited(disk: Disk) -> bool:
    return disk.throttled or disk.throttle_filters


def _judged(domain: Domain, disk: Disk, view: View) -> Iterator[Seen]:
    what = f"the rates of disk {disk.target} beside its limits"
    load = disk_rates(view, domain, disk.target, what)
    if disk.throttle_filters or disk.throttle_group is not None:
        raise NotSeen(Gap(what, "its limits are shared in a throttle group, whose other disks count too"))
    part = view.value(NEAR)
    near = [
        f"{rate:.0f} of {limit} {unit}"
        for limit, rate, unit in (
            (disk.total_iops, load.requests_per_second, "requests/s"),
            (disk.read_iops, load.reads_per_second, "reads/s"),
            (disk.write_iops, load.writes_per_second, "writes/s"),
            (disk.total_bytes_per_second, load.bytes_per_second, "bytes/s"),
            (disk.read_bytes_per_second, load.read_bytes_per_second, "bytes/s read"),
            (disk.write_bytes_per_second, load.write_bytes_per_second, "bytes/s written"),
        )
        if limit and rate * 100 >= part * limit
    ]
    if near:
        name, target = shell_word(domain.name), shell_word(disk.target)
        yield Seen(
            saw=f"disk {disk.target}: {', '.join(near)} {over(view)} (libvirt's block statistics, live XML: iotune)",
            sure=Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=(f"virsh blkdeviotune {name} {target}  # read, then set what is meant with --live --config",),
            note=joined("whether the limit is meant, a person knows", brief(view, LONG)),
            subject=subject(disk),
        )
