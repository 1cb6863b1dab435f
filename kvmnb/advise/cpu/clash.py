"""Vcpus of different guests that are pinned onto each other, and which of the guests has to go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kvmnb.advise.cpu.ground import Ground, Pinned
from kvmnb.advise.cpu.move import Move, cores_of, holders
from kvmnb.advise.cpu.pins import own_cpus_meant, stays
from kvmnb.advise.finding import Safety, Seen, Severity
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Domain

# More pairs than this are counted and not told one by one.
MOST_TOLD = 4


@dataclass(frozen=True, slots=True)
class Clash:
    """A vCPU of one guest and one of another that hold the same CPU or the same core."""

    mine: Pinned
    other: Pinned
    how: str

    @property
    def both_run(self) -> bool:
        """Whether both guests run, so that it hurts now."""
        return self.mine.domain.running and self.other.domain.running

    def __str__(self) -> str:
        name = f"guest {self.other.domain.name!r}"
        if not self.both_run:
            name += ", which runs," if self.other.domain.running else ", which is shut off,"
        return f"vCPU {self.mine.vcpu} and vCPU {self.other.vcpu} of {name} {self.how}"


def on_same_cpu(domain: Domain, here: Ground) -> list[Clash]:
    """Clashes with other guests over one CPU."""
    return [
        Clash(mine, other, f"are both pinned to CPU {mine.cpu} alone")
        for mine in here.pins_of.get((domain.uuid, domain.name), ())
        for other in holders(domain, CpuSet.of(mine.cpu), here)
    ]


def on_same_core(domain: Domain, here: Ground) -> list[Clash]:
    """Clashes with other guests over one core, on different CPUs of it."""
    return [
        Clash(mine, other, f"share a core, on CPUs {mine.cpu} and {other.cpu}")
        for mine in here.pins_of.get((domain.uuid, domain.name), ())
        for other in holders(domain, here.threads.get(mine.cpu, CpuSet()) - CpuSet.of(mine.cpu), here)
    ]


def part(clashes: Sequence[Clash], move: Move, view: View, here: Ground) -> tuple[list[Clash], list[Clash]]:
    """The clashes that are this guest's to end, and those that end when the other guest goes."""
    place = view.placement.guests[move.domain.uuid]
    if not place.vcpus or not own_cpus_meant(move.domain, view) or move.in_the_way:
        return list(clashes), []
    if stays(move.domain, place):
        return [], list(clashes)
    left = {pin.domain.name for pin in holders(move.domain, cores_of(CpuSet(place.vcpus.values()), here), here)}
    return [one for one in clashes if one.other.domain.name not in left], [
        one for one in clashes if one.other.domain.name in left
    ]


def seen_waiting(clashes: Sequence[Clash], severity: Severity | None, source: str) -> Seen:
    """The finding about guests that have to leave this one's CPUs."""
    names = ", ".join(repr(name) for name in sorted({one.other.domain.name for one in clashes})[:MOST_TOLD])
    return Seen(
        saw=f"{'; '.join(in_short(clashes))} ({source})",
        severity=severity if any(one.both_run for one in clashes) else Severity.MEDIUM,
        safety=Safety.MANUAL,
        by_hand=(f"This guest can stay; follow the same rule's finding of {names}, and see again.",),
        subject="others",
    )


def in_short(things: Iterable[object]) -> list[str]:
    """The first few as text, and how many more there are."""
    texts = list(dict.fromkeys(map(str, things)))
    if len(texts) <= MOST_TOLD:
        return texts
    return [*texts[:MOST_TOLD], f"and {len(texts) - MOST_TOLD} more pairs like these"]
