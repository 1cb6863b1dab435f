"""Who takes the CPU from whom: each guest's run delay, given to those who ran where it waited.

Two looks at all threads give, of each one, how long it ran, how long it waited and on which CPU it was. A vCPU that
stayed on one CPU waited for those who ran on that CPU meanwhile. Of one that moved, only what holds on either CPU
is given; the rest is unknown. What a CPU quota held back is taken out first. Nothing that is unknown is spread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

# /proc/stat counts a CPU's time in ticks of 10 ms: of one look to the next, less than two say nothing.
TICKS_SECONDS = 0.02


class Kind(Enum):
    """What takes a CPU."""

    GUEST = "guest"
    VHOST = "vhost worker"
    PROCESS = "process"
    KERNEL = "kernel thread"
    INTERRUPTS = "interrupts"
    HYPERVISOR = "hypervisor below"
    QUOTA = "own quota"
    UNKNOWN = "unknown"


class Party(NamedTuple):
    """One who takes CPU time: a guest and its vhost workers by UUID, others by their name."""

    kind: Kind
    name: str = ""


INTERRUPTS, HYPERVISOR, QUOTA, UNKNOWN = map(Party, (Kind.INTERRUPTS, Kind.HYPERVISOR, Kind.QUOTA, Kind.UNKNOWN))


class ThreadAt(NamedTuple):
    """One thread at one moment; seconds since it began."""

    party: Party
    run: float
    delay: float
    cpu: int
    """Where it ran last, or waits."""
    is_vcpu: bool = False
    throttled: float = 0.0
    """How long a quota of its own held it back."""


class CpuAt(NamedTuple):
    """One host CPU at one moment; seconds since boot."""

    busy: float
    interrupts: float
    steal: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at all threads and CPUs."""

    at: float
    """On the monotonic clock."""
    threads: Mapping[Hashable, ThreadAt]
    cpus: Mapping[int, CpuAt]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Seconds of run delay that each culprit caused to each guest, per second."""

    seconds: float
    """How long was looked at."""
    caused: Mapping[tuple[str, Party], float]
    """By the victim's UUID and the culprit; all that a guest waited, the unknown share too."""
    gaps: tuple[str, ...] = ()
    """What could not be read, and what that means for the figures."""

    @property
    def victims(self) -> tuple[str, ...]:
        """The guests that waited, longest first."""
        waited = self.waited
        return tuple(sorted(waited, key=lambda one: (-waited[one], one)))

    @property
    def waited(self) -> dict[str, float]:
        """Each guest's run delay, in seconds per second over all of its vCPUs."""
        found: dict[str, float] = defaultdict(float)
        for (victim, _), rate in self.caused.items():
            found[victim] += rate
        return dict(found)

    @property
    def culprits(self) -> tuple[Party, ...]:
        """All who caused any, most first, and the unknown share last."""
        caused: dict[Party, float] = defaultdict(float)
        for (_, culprit), rate in self.caused.items():
            caused[culprit] += rate
        return tuple(sorted(caused, key=lambda one: (one == UNKNOWN, -caused[one], one.kind.value, one.name)))

    def of(self, victim: str) -> tuple[tuple[Party, float], ...]:
        """What each culprit caused to this guest, most first, and the unknown share last."""
        mine = [(culprit, rate) for (who, culprit), rate in self.caused.items() if who == victim]
        return tuple(sorted(mine, key=lambda one: (one[0] == UNKNOWN, -one[1], one[0].kind.value, one[0].name)))

    @property
    def unknown_share(self) -> float:
        """The share of all run delay that nobody could be named for; 0 where nobody waited."""
        total = sum(self.caused.values())
        return sum(rate for (_, who), rate in self.caused.items() if who == UNKNOWN) / total if total else 0.0


def matrix(moments: Iterable[Moment], gaps: tuple[str, ...] = ()) -> Matrix:
    """What these looks, in their order, say together."""
    caused: dict[tuple[str, Party], float] = defaultdict(float)
    seconds = 0.0
    before: Moment | None = None
    for after in moments:
        if before is not None and after.at > before.at:
            seconds += after.at - before.at
            for key, value in _between(before, after).items():
                caused[key] += value
        before = after
    rates = {key: value / seconds for key, value in caused.items() if value > 0}
    return Matrix(seconds, rates, gaps)


class _Step(NamedTuple):
    """One thread from one look to the next."""

    key: Hashable
    party: Party
    run: float
    delay: float
    throttled: float
    cpus: frozenset[int]
    is_vcpu: bool


def _between(before: Moment, after: Moment) -> dict[tuple[str, Party], float]:
    steps = [_step(key, before.threads[key], now) for key, now in after.threads.items() if key in before.threads]
    at: dict[int, list[_Step]] = defaultdict(list)
    for step in steps:
        for cpu in step.cpus:
            at[cpu].append(step)
    caused: dict[tuple[str, Party], float] = defaultdict(float)
    for victim in steps:
        if not victim.is_vcpu or victim.delay <= 0:
            continue
        held = min(victim.delay, max(0.0, victim.throttled))
        waited = victim.delay - held
        found = {QUOTA: held} if held else {}
        found.update(_certain(victim, waited, at, before, after))
        found[UNKNOWN] = max(0.0, victim.delay - sum(found.values()))
        for culprit, seconds in found.items():
            caused[victim.party.name, culprit] += seconds
    return caused


def _step(key: Hashable, before: ThreadAt, now: ThreadAt) -> _Step:
    return _Step(
        key,
        now.party,
        max(0.0, now.run - before.run),
        max(0.0, now.delay - before.delay),
        now.throttled - before.throttled,
        frozenset((before.cpu, now.cpu)),
        now.is_vcpu,
    )


def _certain(
    victim: _Step, waited: float, at: Mapping[int, list[_Step]], before: Moment, after: Moment
) -> dict[Party, float]:
    """What holds on whichever of its CPUs the victim waited."""
    if waited <= 0:
        return {}
    possible = [_on(cpu, victim, waited, at[cpu], before, after) for cpu in victim.cpus]
    parties = set.intersection(*(set(one) for one in possible))
    return {party: min(one[party] for one in possible) for party in parties}


def _on(
    cpu: int, victim: _Step, waited: float, threads: list[_Step], before: Moment, after: Moment
) -> dict[Party, float]:
    """What each party caused to a victim that waited on this CPU all the time."""
    ran: dict[Party, float] = defaultdict(float)
    elsewhere = 0.0
    for other in threads:
        if other.key == victim.key or other.run <= 0:
            continue
        if len(other.cpus) == 1:
            ran[other.party] += other.run
        else:
            elsewhere += other.run
    unseen = 0.0
    if cpu in before.cpus and cpu in after.cpus:
        busy, interrupts, steal = (max(0.0, b - a) for a, b in zip(before.cpus[cpu], after.cpus[cpu], strict=True))
        own = victim.run if len(victim.cpus) == 1 else 0.0
        # Threads that began or ended meanwhile; and of movers no more than the CPU has left.
        left = max(0.0, busy - interrupts - sum(ran.values()) - own)
        unseen = left if left > TICKS_SECONDS else 0.0
        elsewhere = min(elsewhere, left)
        ran[INTERRUPTS] += interrupts
        ran[HYPERVISOR] += steal
    total = sum(ran.values()) + max(elsewhere, unseen)
    if total <= 0:
        return {}
    share = min(1.0, waited / total)
    return {party: seconds * share for party, seconds in ran.items() if seconds > 0}
