"""Sets of CPU or node numbers in the kernel's own list form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import total_ordering
from itertools import pairwise

from kvmnb.core.errors import KvmnbError

# The kernel builds with at most 8192 CPUs (CONFIG_NR_CPUS); the bound keeps "0-999999999" from filling memory.
MAX_NUMBER = 65_535

_RANGE = re.compile(r"(\^?)([0-9]+)(?:-([0-9]+)(?::([0-9]+)/([0-9]+))?)?\Z")


@total_ordering
class CpuSet:
    """An immutable set of CPU (or node) numbers.

    It prints as the kernel's list (``"0-3,8"``), which is also its form in JSON. ``parse`` takes that
    list, libvirt's ``^`` exclusions and the kernel's ``a-b:used/group`` strides.
    """

    __slots__ = ("_numbers",)

    _numbers: frozenset[int]

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._numbers = frozenset(numbers)
        if self._numbers and (min(self._numbers) < 0 or max(self._numbers) > MAX_NUMBER):
            raise KvmnbError(f"a CPU number must lie in 0-{MAX_NUMBER}, found {sorted(self._numbers)}")

    @classmethod
    def of(cls, *numbers: int) -> CpuSet:
        """The set of just these numbers."""
        return cls(numbers)

    @classmethod
    def parse(cls, text: str) -> CpuSet:
        """Read a kernel or libvirt list; an empty text is the empty set.

        >>> str(CpuSet.parse("0-3,^2,8"))
        '0-1,3,8'
        >>> str(CpuSet.parse("0-7:2/4"))
        '0-1,4-5'
        """
        found: set[int] = set()
        excluded: set[int] = set()
        stripped = text.strip().strip("\0")
        for part in stripped.split(",") if stripped else ():
            match = _RANGE.match(part.strip())
            if match is None or len(part) > 64:
                raise KvmnbError(f"{text.strip()[:80]!r} is not a CPU list such as 0-3,8")
            hat, first, last, used, group = match.groups()
            low, high = int(first), int(last or first)
            if high < low or high > MAX_NUMBER:
                raise KvmnbError(f"{text.strip()[:80]!r} is not a CPU list: {part!r} is no range within 0-{MAX_NUMBER}")
            numbers = range(low, high + 1)
            if used is not None:
                if int(group) == 0:
                    raise KvmnbError(f"{text.strip()[:80]!r} is not a CPU list: its group size is 0")
                numbers_strided = (n for n in numbers if (n - low) % int(group) < int(used))
                found.update(numbers_strided)
            elif hat:
                excluded.update(numbers)
            else:
                found.update(numbers)
        return cls(found - excluded)

    @classmethod
    def parse_mask(cls, text: str) -> CpuSet:
        """Read the kernel's hexadecimal mask, 32-bit words divided by commas, highest first.

        >>> str(CpuSet.parse_mask("ff,00000001"))
        '0,32-39'
        """
        words = text.strip().strip("\0")
        if not re.fullmatch(r"(?:0x)?[0-9a-fA-F]+(?:,[0-9a-fA-F]{8})*", words) or len(words) > 20_000:
            raise KvmnbError(f"{text.strip()[:80]!r} is not a CPU mask")
        value = int(words.replace(",", ""), 16)
        return cls(bit for bit in range(value.bit_length()) if value >> bit & 1)

    def __str__(self) -> str:
        numbers = sorted(self._numbers)
        if not numbers:
            return ""
        starts = [numbers[0], *(b for a, b in pairwise(numbers) if b != a + 1)]
        ends = [*(a for a, b in pairwise(numbers) if b != a + 1), numbers[-1]]
        return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))

    def __repr__(self) -> str:
        return f"CpuSet.parse({str(self)!r})"

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: object) -> bool:
        return number in self._numbers

    def __eq__(self, other: object) -> bool:
        return self._numbers == other._numbers if isinstance(other, CpuSet) else NotImplemented

    def __lt__(self, other: CpuSet) -> bool:
        """Order by the sorted numbers, so that lists of sets print in a steady order."""
        return sorted(self._numbers) < sorted(other._numbers)

    def __hash__(self) -> int:
        return hash(self._numbers)

    def __or__(self, other: CpuSet) -> CpuSet:
        return _set(self._numbers | other._numbers)

    def __and__(self, other: CpuSet) -> CpuSet:
        return _set(self._numbers & other._numbers)

    def __sub__(self, other: CpuSet) -> CpuSet:
        return _set(self._numbers - other._numbers)

    def __xor__(self, other: CpuSet) -> CpuSet:
        return _set(self._numbers ^ other._numbers)

    def issubset(self, other: CpuSet) -> bool:
        """Whether every number of this set is in the other."""
        return self._numbers <= other._numbers

    def isdisjoint(self, other: CpuSet) -> bool:
        """Whether the two sets share no number."""
        return self._numbers.isdisjoint(other._numbers)

    @property
    def first(self) -> int:
        """The lowest number; the set must not be empty."""
        return min(self._numbers)


def _set(numbers: frozenset[int]) -> CpuSet:
    """A set of numbers that stood in sets before, so that none of them lies outside."""
    made = CpuSet.__new__(CpuSet)
    made._numbers = numbers
    return made


def union(sets: Iterable[CpuSet]) -> CpuSet:
    """All numbers of all the sets."""
    return _set(frozenset().union(*(one._numbers for one in sets)))
