"""Vcpus of different guests that are pinned onto each other, and which of the guests has to go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

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
    """A vCPU of one guest and those of others that hold the same CPU or the same core."""

    mine: Pinned
    others: tuple[Pinned, ...]
    same_core: bool
    """Whether they are on other CPUs of its core, and not on its CPU."""

    @property
    def both_run(self) -> bool:
        """Whether the guest and one of the others run, so that it hurts now."""
        return self.mine.domain.running and any(other.domain.running for other in self.others)

    @property
    def severity(self) -> Severity:
        """How grave it is where the rule's own word does not hold."""
        return Severity.HIGH if self.both_run else Severity.MEDIUM

    def sentences(self) -> Iterator[str]:
        """One for each of the others."""
        for other in self.others:
            name = f"guest {other.domain.name!r}"
            if not (self.mine.domain.running and other.domain.running):
                name += ", which runs," if other.domain.running else ", which is shut off,"
            how = (
                f"share a core, on CPUs {self.mine.cpu} and {other.cpu}"
                if self.same_core
                else f"are both pinned to CPU {self.mine.cpu} alone"
            )
            yield f"vCPU {self.mine.vcpu} and vCPU {other.vcpu} of {name} {how}"


def on_same_cpu(domain: Domain, here: Ground) -> list[Clash]:
    """Clashes with other guests over one CPU."""
    return [
        Clash(mine, others, same_core=False)
        for mine in here.pins_of.get((domain.uuid, domain.name), ())
        if (others := holders(domain, CpuSet.of(mine.cpu), here))
    ]


def on_same_core(domain: Domain, here: Ground) -> list[Clash]:
    """Clashes with other guests over one core, on different CPUs of it."""
    return [
        Clash(mine, others, same_core=True)
        for mine in here.pins_of.get((domain.uuid, domain.name), ())
        if (others := holders(domain, here.threads.get(mine.cpu, CpuSet()) - CpuSet.of(mine.cpu), here))
    ]


def part(clashes: Sequence[Clash], move: Move, view: View, here: Ground) -> tuple[list[Clash], list[Clash]]:
    """The clashes that are this guest's to end, and those that end when the other guest goes."""
    place = view.placement.guests[move.domain.uuid]
    if not place.vcpus or not own_cpus_meant(move.domain, view) or move.in_the_way:
        return list(clashes), []
    if stays(move.domain, place):
        return [], list(clashes)
    left = {pin.domain.name for pin in holders(move.domain, cores_of(CpuSet(place.vcpus.values()), here), here)}
    return _with(clashes, lambda pin: pin.domain.name not in left), _with(clashes, lambda pin: pin.domain.name in left)


def _with(clashes: Sequence[Clash], chosen: Callable[[Pinned], bool]) -> list[Clash]:
    """The clashes with those of the others that are chosen."""
    found = (Clash(one.mine, tuple(filter(chosen, one.others)), one.same_core) for one in clashes)
    return [one for one in found if one.others]


def seen_waiting(clashes: Sequence[Clash], severity: Severity | None, source: str) -> Seen:
    """The finding about guests that have to leave this one's CPUs."""
    names = sorted({other.domain.name for one in clashes for other in one.others})[:MOST_TOLD]
    return Seen(
        saw=f"{'; '.join(in_short((), clashes))} ({source})",
        severity=severity if any(one.both_run for one in clashes) else Severity.MEDIUM,
        safety=Safety.MANUAL,
        by_hand=(
            f"This guest can stay; follow the same rule's finding of {', '.join(map(repr, names))}, and see again.",
        ),
        subject="others",
    )


def in_short(texts: Iterable[str], clashes: Sequence[Clash] = (), noun: str = "pairs like these") -> list[str]:
    """The first few of these texts and clashes, and how many more there are."""
    # Where a thousand guests are pinned alike each has thousands of clashes: only those that are told become text.
    found = list(dict.fromkeys(texts))
    more = len(found) + sum(len(one.others) for one in clashes) - MOST_TOLD
    told = [*found, *islice((text for one in clashes for text in one.sentences()), MOST_TOLD)][:MOST_TOLD]
    return [*told, f"and {more} more {noun}"] if more > 0 else told
