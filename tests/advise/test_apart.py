"""Subjects are judged apart, and what was found before something is not seen stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kvmnb.advise.apart import apart, gathered
from kvmnb.facts.gap import Gap, NotSeen


def half(number: int) -> Iterator[int]:
    if number % 2:
        raise NotSeen(Gap(f"half[{number}]", "odd"))
    yield number // 2


def test_one_that_is_not_seen_hides_no_other_and_is_named_once() -> None:
    told = apart([1, 2, 3, 1, 4], half)
    assert [next(told), next(told)] == [1, 2]
    with pytest.raises(NotSeen, match=r"half\[1\]: odd; half\[3\]: odd"):
        next(told)


def test_where_all_is_seen_nothing_is_raised() -> None:
    assert list(apart([2, 4], half)) == [1, 2]
    assert gathered([2], half) == ([1], None)
