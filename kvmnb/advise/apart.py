"""Judging several subjects apart, so that one which is not seen hides no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from kvmnb.advise.view import View
from kvmnb.facts.gap import Gap, NotSeen

T = TypeVar("T")
R = TypeVar("R")


def apart(view: View, subjects: Iterable[T], judge: Callable[[T], Iterable[R]]) -> Iterator[R]:
    """What the judgement yields of each subject; at the end NotSeen with the reasons of those that were not seen.

    Each subject is a part of the view: its findings rest on nothing that was asked for another.
    """
    gaps: dict[Gap, None] = {}
    for subject in subjects:
        try:
            with view.part():
                yield from judge(subject)
        except NotSeen as problem:
            gaps[problem.gap] = None
    if gaps:
        raise _together(gaps)


def gathered(subjects: Iterable[T], judge: Callable[[T], Iterable[R]]) -> tuple[list[R], NotSeen | None]:
    """As ``apart``, with the NotSeen in hand, for a rule that has to look at all subjects together first."""
    found: list[R] = []
    gaps: dict[Gap, None] = {}
    for subject in subjects:
        try:
            found.extend(judge(subject))
        except NotSeen as problem:
            gaps[problem.gap] = None
    return found, _together(gaps) if gaps else None


def _together(gaps: Iterable[Gap]) -> NotSeen:
    first, *others = gaps
    rest = "".join(f"; {gap.fact}: {gap.reason}" for gap in others)
    return NotSeen(Gap(first.fact, first.reason + rest))
