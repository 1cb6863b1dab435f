"""Rules that advise against each other, and which of them is followed for which goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from kvmnb.advise.finding import Finding, Severity
from kvmnb.advise.host.tuned import NO_THP


class Meet(Enum):
    """Which two findings of a pair of rules stand against each other."""

    SUBJECT = "the same disk, NIC or controller"
    GUEST = "the same guest"
    HOST = "any on this host"


@dataclass(frozen=True, slots=True)
class Says:
    """The findings of a rule that are meant: all, those that want this value, or those that are grave enough."""

    rule: str
    path: str | None = None
    """The end of the wanted setting's name; None: whatever it wants, also nothing."""
    values: tuple[str, ...] = ("",)
    """The wanted values, or their beginnings."""
    about: str = ""
    """The end of the subject."""
    saw: str = ""
    """A part of what was seen."""
    at_least: Severity = Severity.INFO

    def matches(self, finding: Finding) -> bool:
        """Whether this finding of the rule is meant."""
        if finding.severity.rank > self.at_least.rank or not finding.subject.endswith(self.about):
            return False
        if self.saw not in finding.saw:
            return False
        path = self.path
        return path is None or any(
            str(want.tunable).endswith(path) and (want.value or "").startswith(self.values) for want in finding.wants
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opposites:
    """Two rules that advise against each other; the first is followed, unless the goal turns it round."""

    first: Says
    second: Says
    where: Meet
    about: str
    reason: str
    turned: Mapping[str, str] = field(default_factory=dict)
    """For which goals the second is followed instead, and why."""

    def meet(self, one: Finding, other: Finding) -> bool:
        """Whether these two stand against each other."""
        if self.where is Meet.SUBJECT:
            return one.subject == other.subject
        return self.where is Meet.HOST or one.domain == other.domain


_TUNED = "TuneD has one owner for all of these and writes them again: change the profile first, then ask again"

OPPOSITES = (
    Opposites(
        first=Says("cpu.overcommit", at_least=Severity.MEDIUM),
        second=Says("cpu.pin.vcpu", "/@cpuset"),
        where=Meet.HOST,
        about="CPUs that one guest has alone, where there are too few for all",
        reason="each CPU that is given away leaves fewer to the guests that wait for one already",
        turned={"latency": "a guest with CPUs of its own does not feel the others; the others are too many"},
    ),
    Opposites(
        first=Says("cpu.overcommit", at_least=Severity.MEDIUM),
        second=Says("cpu.hotplug"),
        where=Meet.HOST,
        about="more vCPUs for a guest, where there are too many for the host",
        reason="another vCPU waits for the same CPUs as those that are there",
    ),
    Opposites(
        first=Says("cpu.overcommit", at_least=Severity.MEDIUM),
        second=Says("cpu.quota"),
        where=Meet.HOST,
        about="more CPU time for a guest, where there is too little for all",
        reason="the quota protects the other guests as long as they wait for a CPU",
        turned={"latency": "a quota stops a guest for parts of each period, which latency feels first"},
    ),
    Opposites(
        first=Says("cpu.pin.vcpu", "/@cpuset"),
        second=Says("cpu.hotplug"),
        where=Meet.GUEST,
        about="CPUs of its own for each vCPU, and vCPUs that come while it runs",
        reason="a vCPU that is plugged in later has no CPU set aside: pin first, then plug in what has a place",
    ),
    Opposites(
        first=Says("cpu.vcpu.oversized"),
        second=Says("cpu.hotplug"),
        where=Meet.GUEST,
        about="fewer vCPUs, or more",
        reason="it has more vCPUs than a node, or the host, has CPUs; more of them wait for each other",
    ),
    Opposites(
        first=Says("cpu.vcpu.oversized"),
        second=Says("numa.vnuma"),
        where=Meet.GUEST,
        about="a guest that is made to fit one node, or told of several",
        reason="with fewer vCPUs it needs no cells, and all of its memory is near",
        turned={"throughput": "all of its vCPUs are meant to work, so it should know where its memory lies"},
    ),
    Opposites(
        first=Says("cpu.pin.vcpu", "/@cpuset"),
        second=Says("cpu.irq.affinity"),
        where=Meet.HOST,
        about="which CPUs are to be kept free of interrupts, while pins are about to move",
        reason="pin first, then steer the interrupts away from the CPUs that were chosen",
    ),
    Opposites(
        first=Says("cpu.isolation.floating"),
        second=Says("numa.fit"),
        where=Meet.GUEST,
        about="one isolated CPU for each thread, or a whole node for all",
        reason="nothing balances threads on isolated CPUs, so a wide mask would leave them all on one",
    ),
    Opposites(
        first=Says("disk.bus"),
        second=Says("disk.iothread"),
        where=Meet.SUBJECT,
        about="an iothread for a disk whose bus changes",
        reason="an emulated controller takes no iothread: the bus first, the iothread at the next look",
    ),
    Opposites(
        first=Says("disk.controller.choice", about="/controller/virtio"),
        second=Says("disk.bus", "target/@bus", ("virtio",)),
        where=Meet.GUEST,
        about="one more virtio disk for a guest whose controllers are to change",
        reason="settle which controller its disks hang on, so that they move once",
    ),
    *(
        Opposites(
            first=Says(rule, "driver/@cache", ("writeback", "writethrough", "unsafe")),
            second=Says("disk.io", "driver/@io", ("native",)),
            where=Meet.SUBJECT,
            about="native requests, and the host's page cache",
            reason="QEMU refuses io=native without direct I/O, and what the cache mode promises counts more",
        )
        for rule in ("disk.cache", "disk.cache.unsafe")
    ),
    Opposites(
        first=Says("mem.hugepages.static", "memoryBacking/hugepages"),
        second=Says("mem.hugepages.pool", about="/idle"),
        where=Meet.HOST,
        about="idle pages of the pool, which a guest could use or the host take back",
        reason="a large guest without hugepages has a use for them",
    ),
    Opposites(
        first=Says("mem.hugepages.static"),
        second=Says("mem.balloon.squeezed"),
        where=Meet.GUEST,
        about="all of the guest's memory in the pool, or a balloon that moves",
        reason="memory from the pool does not come back through a balloon: size the guest first",
    ),
    *(
        Opposites(
            first=Says(rule),
            second=Says("mem.hugepages.pool", "nr_hugepages", tuple("123456789")),
            where=Meet.HOST,
            about="memory for the pool of hugepages, on a host that is short of it",
            reason="what the pool takes is lost to everybody else, who swaps or is killed first",
        )
        for rule in ("mem.overcommit", "mem.swap")
    ),
    *(
        Opposites(
            first=Says(rule),
            second=Says("mem.balloon.squeezed"),
            where=Meet.HOST,
            about="memory for one guest, on a host that is short of it",
            reason="a host that swaps slows all of its guests: make room there first",
        )
        for rule in ("mem.overcommit", "mem.swap")
    ),
    Opposites(
        first=Says("mem.overcommit"),
        second=Says("mem.locked", "memoryBacking/locked", ("<",)),
        where=Meet.HOST,
        about="locked memory, on a host that has promised more than it has",
        reason="what is locked cannot be swapped, so others are killed instead: promise less first",
        turned={"latency": "real-time vCPUs must not wait for memory; other guests are to shrink"},
    ),
    Opposites(
        first=Says("host.tuned", saw=NO_THP),
        second=Says("mem.thp", "transparent_hugepage/enabled", ("madvise",)),
        where=Meet.HOST,
        about="transparent huge pages, which the active profile of TuneD sets too",
        reason=_TUNED,
    ),
    Opposites(
        first=Says("host.tuned", at_least=Severity.MEDIUM),
        second=Says("cpu.freq.governor"),
        where=Meet.HOST,
        about="the clock policy, which the active profile of TuneD sets too",
        reason=_TUNED,
    ),
)
