"""One thread from one look to the next, and how much of its wait its own quotas explain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from kvmnb.measure.moment import Kind, Party, ThreadAt


class Step(NamedTuple):
    """What one thread did between two looks, in seconds."""

    key: Hashable
    party: Party
    run: float
    delay: float
    throttled: float
    cpus: frozenset[int]
    """Where it was at either look."""
    is_vcpu: bool


def step(key: Hashable, before: ThreadAt, now: ThreadAt) -> Step:
    """What a thread did between two looks."""
    return Step(
        key,
        now.party,
        max(0.0, now.run - before.run),
        max(0.0, now.delay - before.delay),
        max(0.0, now.throttled - before.throttled),
        frozenset((before.cpu, now.cpu)),
        now.is_vcpu,
    )


class Quotas:
    """Takes out of each wait what a quota explains.

    The kernel counts what a quota held back when it lets go, and the wait when the thread then runs: that may be at
    the next look, so what explains no wait yet is kept till then and no longer.
    """

    def __init__(self) -> None:
        self._left: dict[Hashable, float] = {}

    def held(self, steps: Iterable[Step], guests: Mapping[str, float]) -> dict[Hashable, float]:
        """By thread, the part of its wait that is its quota's: its own, then that of its guest as a whole.

        ``guests`` is what quotas of whole guests held back meanwhile, by UUID. Which of its threads that was nobody
        counts: each has the same share of its wait.
        """
        found: dict[Hashable, float] = {}
        waits: dict[str, dict[Hashable, float]] = defaultdict(dict)
        left: dict[Hashable, float] = {}
        for one in steps:
            if one.throttled or one.key in self._left:
                found[one.key], left[one.key] = self._taken(one.key, one.throttled, one.delay)
            if one.party.kind is Kind.GUEST and one.party.name in guests:
                waits[one.party.name][one.key] = one.delay - found.get(one.key, 0.0)
        for uuid, seconds in guests.items():
            total = sum(waits[uuid].values())
            taken, left[uuid] = self._taken(uuid, seconds, total)
            for key, wait in waits[uuid].items():
                if wait > 0:
                    found[key] = found.get(key, 0.0) + wait * taken / total
        self._left = left
        return found

    def _taken(self, key: Hashable, seconds: float, wait: float) -> tuple[float, float]:
        """How much of a wait is explained, and what is left of these seconds for the next look."""
        before = self._left.get(key, 0.0)
        taken = min(wait, before + seconds)
        return taken, min(seconds, before + seconds - taken)
