"""A myth is found by its name, with or without what stands before it."""

from __future__ import annotations

import pytest

from kvmnb.advise.folklore import myth, myths, names
from kvmnb.core.errors import KvmnbError


def test_a_myth_is_found_by_its_name_and_by_its_id() -> None:
    assert [myth(one) for one in names()] == [myth(f"myth.{one}") for one in names()] == list(myths())
    assert [one.id for one in myths()] == sorted(one.id for one in myths())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("sptp", "there is no myth 'sptp'; did you mean stp?"),
        ("myth.lr", "there is no myth 'lr'; did you mean lro?"),
        ("z" * 61, f"there is no myth '{'z' * 60}'; `kvmnb myths` lists them"),
    ],
)
def test_a_myth_that_is_not_known_names_near_ones(asked: str, told: str) -> None:
    with pytest.raises(KvmnbError) as problem:
        myth(asked)
    assert str(problem.value) == told
