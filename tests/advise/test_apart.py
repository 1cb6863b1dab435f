"""Subjects are judged apart, and what was found before something is not seen stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kvmnb.advise.apart import apart, gathered
from kvmnb.advise.intent import Intent
from kvmnb.advise.mem.swap import MANY_BYTES
from kvmnb.advise.view import View
from kvmnb.facts.gap import Gap, NotSeen
from tests.builders import a_host

A_VIEW = View(a_host(), (), Intent(threshold={"mem.swap.bytes": 7}))


def half(number: int) -> Iterator[int]:
    if number % 2:
        raise NotSeen(Gap(f"half[{number}]", "odd"))
    yield number // 2


def test_one_that_is_not_seen_hides_no_other_and_is_named_once() -> None:
    told = apart(A_VIEW, [1, 2, 3, 1, 4], half)
    assert [next(told), next(told)] == [1, 2]
    with pytest.raises(NotSeen, match=r"half\[1\]: odd; half\[3\]: odd"):
        next(told)


def test_where_all_is_seen_nothing_is_raised() -> None:
    assert list(apart(A_VIEW, [2, 4], half)) == [1, 2]
    assert gathered([2], half) == ([1], None)


def test_what_was_asked_for_one_subject_is_not_what_another_rests_on() -> None:
    def judge(number: int) -> Iterator[int]:
        if number == 1:
            A_VIEW.value(MANY_BYTES)
        yield number

    told = {number: list(A_VIEW.rests) for number in apart(A_VIEW, [0, 1, 2], judge)}
    assert told == {0: [], 1: ["threshold mem.swap.bytes is 7 bytes (kvmnb.toml; default 64 MiB)"], 2: []}
