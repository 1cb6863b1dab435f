"""A number in a rule on which judgement rests, with its name, so that a person may set another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import format_bytes, parse_size

Number = TypeVar("Number", int, float)

HEURISTIC = "heuristic"
BYTES = "bytes"
_SIZE = re.compile(r"(\d{1,15}) ?([KMGT]iB)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Generic[Number]):
    """One number of one rule, declared in the rule's own file and read with ``view.value``."""

    name: str
    """The rule's id and a word, such as ``disk.queues.max``."""
    default: Number
    unit: str
    """What it counts: ``queues``, ``%``, ``bytes``, ``ns``."""
    meaning: str
    """What it decides, as half a sentence."""
    least: Number
    most: Number
    basis: str = HEURISTIC
    """Where the default comes from: documented, source, tested or heuristic."""
    source: str = "judgement of this project"
    """Who says so."""

    def checked(self, value: object) -> Number:
        """The value as it may be set; KvmnbError that tells what it may be."""
        if self.unit == BYTES and isinstance(value, str) and (size := _SIZE.fullmatch(value)) is not None:
            value = parse_size(size[1], size[2])
        whole = isinstance(self.default, int)
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise KvmnbError(f"threshold {self.name} is {_short(value)}, and it takes {self._may_be}")
        number: Number = type(self.default)(value)
        if not self.least <= number <= self.most:
            raise KvmnbError(f"threshold {self.name} is {self.said(number)}, and it takes {self._may_be}")
        return number

    def parsed(self, text: str) -> Number:
        """The value that a person typed; KvmnbError that tells what it may be."""
        try:
            value: object = int(text) if isinstance(self.default, int) else float(text)
        except ValueError:
            value = text
        return self.checked(value)

    @property
    def _may_be(self) -> str:
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        sizes = ", or a size such as '4 GiB'" if self.unit == BYTES else ""
        least, most, default = (self.said(one) for one in (self.least, self.most, self.default))
        return f"{kind} of {self.unit}{sizes}, from {least} to {most} (default {default})"

    def said(self, number: Number) -> str:
        """A value in words: bytes in their largest unit."""
        return format_bytes(int(number)) if self.unit == BYTES else f"{number:g}" if number < 10**6 else f"{number:_}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
