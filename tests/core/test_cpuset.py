"""CPU sets read and print the kernel's lists and masks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.core.errors import KvmnbError

numbers = st.frozensets(st.integers(0, 700), max_size=60)


@given(numbers)
def test_a_set_reads_back_from_its_own_list(chosen: frozenset[int]) -> None:
    assert CpuSet.parse(str(CpuSet(chosen))) == CpuSet(chosen)
    assert list(CpuSet(chosen)) == sorted(chosen)


@given(numbers, numbers)
def test_the_algebra_is_that_of_sets(left: frozenset[int], right: frozenset[int]) -> None:
    a, b = CpuSet(left), CpuSet(right)
    assert (a | b, a & b, a - b, a ^ b) == tuple(
        CpuSet(one) for one in (left | right, left & right, left - right, left ^ right)
    )
    assert a.issubset(b) == (left <= right)
    assert a.isdisjoint(b) == left.isdisjoint(right)


@given(numbers)
def test_a_mask_reads_as_the_same_set(chosen: frozenset[int]) -> None:
    value = sum(1 << number for number in chosen)
    words = [f"{value >> shift & 0xFFFFFFFF:08x}" for shift in range(0, 736, 32)]
    assert CpuSet.parse_mask(",".join(reversed(words))) == CpuSet(chosen)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("0", "0"),
        ("3,1,2", "1-3"),
        ("0-7,^3-4", "0-2,5-7"),
        ("0-7:2/4", "0-1,4-5"),
        (" 0-1\n", "0-1"),
        ("^0,0-2", "1-2"),
    ],
)
def test_libvirt_and_kernel_forms_are_read(text: str, printed: str) -> None:
    assert str(CpuSet.parse(text)) == printed


@pytest.mark.parametrize("text", ["a", "1-", "-1", "3-1", "0-999999999", "1,,2", "0x3", "0-7:2/0", "1;2"])
def test_what_is_no_list_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(KvmnbError, match="is not a CPU list"):
        CpuSet.parse(text)


@pytest.mark.parametrize("text", ["", "xyz", "ff,1", "-1", "f" * 20_001])
def test_what_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(KvmnbError, match="is not a CPU mask"):
        CpuSet.parse_mask(text)


def test_sets_order_by_their_numbers_and_hash_by_value() -> None:
    assert sorted([CpuSet.of(2), CpuSet.of(0, 9), CpuSet.of(0, 1)]) == [CpuSet.of(0, 1), CpuSet.of(0, 9), CpuSet.of(2)]
    assert {CpuSet.parse("0-1"), CpuSet.of(1, 0)} == {CpuSet.of(0, 1)}
    assert union([CpuSet.of(1), CpuSet.of(3)]) == CpuSet.of(1, 3)
    assert not CpuSet()
    assert 3 in CpuSet.of(3)
    assert CpuSet.of(5, 2).first == 2
