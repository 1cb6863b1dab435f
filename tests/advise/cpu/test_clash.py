"""How pins that clash are told in short."""

from __future__ import annotations

import pytest

from kvmnb.advise.cpu.clash import MOST_TOLD, in_short


@pytest.mark.parametrize("beyond", [-1, 0, 1, 2])
def test_what_is_more_than_a_few_is_counted(beyond: int) -> None:
    texts = [f"text {number}" for number in range(MOST_TOLD + beyond)]
    told = texts[:MOST_TOLD]
    assert in_short(texts) == (told if beyond <= 0 else [*told, f"and {beyond} more pairs like these"])


def test_the_same_text_is_told_once_and_by_its_noun() -> None:
    texts = [str(number // 2) for number in range(2 * MOST_TOLD + 2)]
    assert in_short(texts, noun="guests")[-1] == "and 1 more guests"
