"""Who takes the CPU from whom: each guest's run delay, given to those who ran where it waited.

Two looks at all threads give, of each one, how long it ran, how long it waited and on which CPU it was. A vCPU that
stayed on one CPU waited for those who ran on that CPU meanwhile. Of one that moved, only what holds on either CPU
is given; the rest is unknown. What a CPU quota held back is taken out first. Nothing that is unknown is spread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kvmnb.measure.moment import HYPERVISOR, INTERRUPTS, QUOTA, UNKNOWN, Kind, Moment, Party
from kvmnb.measure.step import Quotas, Step, step

# /proc/stat counts a CPU's time in ticks of 10 ms: of one look to the next, less than two say nothing.
TICKS_SECONDS = 0.02
# In words, so many culprits of a guest are named, and none that would read 0.00 s/s.
MOST_TOLD = 5
LEAST_TOLD = 0.005


@dataclass(frozen=True, slots=True)
class Matrix:
    """Seconds of run delay that each culprit caused to each guest, per second."""

    seconds: float
    """How long was looked at."""
    caused: Mapping[tuple[str, Party], float]
    """By the victim's UUID and the culprit; all that a guest waited, the unknown share too."""
    gaps: tuple[str, ...] = ()
    """What could not be read, and what that means for the figures."""
    looks: int = 0
    """From how many looks."""
    guests: Mapping[str, str] = field(default_factory=dict)
    """The guests' names by UUID, as far as the looks tell them."""

    def called(self, names: Mapping[Party, Party]) -> Matrix:
        """The same with these parties called otherwise."""
        return replace(
            self, caused={(victim, names.get(who, who)): rate for (victim, who), rate in self.caused.items()}
        )

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


def said(who: Party, guests: Mapping[str, str], victim: str = "") -> str:
    """One who takes CPU time, in words; ``victim`` is whose CPU it is, by UUID."""
    if who.kind is Kind.GUEST and who.name == victim:
        return "its own other threads"
    of = " of" if who.kind is Kind.VHOST else ""
    return f"{who.kind.value}{of} {name_in(guests, who)}".rstrip()


def name_in(guests: Mapping[str, str], who: Party) -> str:
    """The name of one who takes CPU time: of a guest's the guest's name, of others their own."""
    return guests.get(who.name, who.name) if who.kind in (Kind.GUEST, Kind.VHOST) else who.name


def worst(takers: Iterable[tuple[Party, float]], guests: Mapping[str, str], victim: str) -> list[tuple[str, float]]:
    """Who takes most of a guest's CPU, in words; the rest together, and apart from it what is unknown."""
    known = [(said(who, guests, victim), rate) for who, rate in takers if who != UNKNOWN]
    named = [one for one in known if one[1] >= LEAST_TOLD][:MOST_TOLD]
    rest = known[len(named) :]
    unknown = [(said(who, guests), rate) for who, rate in takers if who == UNKNOWN]
    together = [(f"{len(rest)} others", sum(rate for _, rate in rest))] if len(rest) > 1 else rest
    return [*named, *together, *unknown]


def matrix(moments: Iterable[Moment | None], gaps: tuple[str, ...] = ()) -> Matrix:
    """What these looks, in their order, say together; None stands for a gap, over which nothing is joined."""
    caused: dict[tuple[str, Party], float] = defaultdict(float)
    seconds = 0.0
    looks = 0
    before: Moment | None = None
    quotas = Quotas()
    for after in moments:
        looks += after is not None
        if before is not None and after is not None and after.at > before.at:
            seconds += after.at - before.at
            for key, value in _between(before, after, quotas).items():
                caused[key] += value
        before = after
    rates = {key: value / seconds for key, value in caused.items() if value > 0}
    return Matrix(seconds, rates, gaps, looks)


def _between(before: Moment, after: Moment, quotas: Quotas) -> dict[tuple[str, Party], float]:
    steps = [step(key, before.threads[key], now) for key, now in after.threads.items() if key in before.threads]
    held = quotas.held(steps, {uuid: now - before.held.get(uuid, now) for uuid, now in after.held.items()})
    at: dict[int, list[Step]] = defaultdict(list)
    for one in steps:
        for cpu in one.cpus:
            at[cpu].append(one)
    caused: dict[tuple[str, Party], float] = defaultdict(float)
    for victim in steps:
        if not victim.is_vcpu or victim.delay <= 0:
            continue
        own = held.get(victim.key, 0.0)
        found = {QUOTA: own} if own else {}
        found.update(_certain(victim, victim.delay - own, at, before, after))
        found[UNKNOWN] = max(0.0, victim.delay - sum(found.values()))
        for culprit, seconds in found.items():
            caused[victim.party.name, culprit] += seconds
    return caused


def _certain(
    victim: Step, waited: float, at: Mapping[int, list[Step]], before: Moment, after: Moment
) -> dict[Party, float]:
    """What holds on whichever of its CPUs the victim waited."""
    if waited <= 0:
        return {}
    possible = [_on(cpu, victim, waited, at[cpu], before, after) for cpu in victim.cpus]
    parties = set.intersection(*(set(one) for one in possible))
    return {party: min(one[party] for one in possible) for party in parties}


def _on(
    cpu: int, victim: Step, waited: float, threads: list[Step], before: Moment, after: Moment
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
