"""Reads what stands in the compact protocol of Thrift, in which Parquet files tell of themselves.

pyarrow reads it too, but it ends the whole process where a file says of its columns what cannot be, and it makes a
thousand bytes of each one that a file was made to hold for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET = range(11)
_STRUCT = 12
_NUMBERS = {_I16, _I32, _I64}
_MOST_IN_A_LIST = 1000
_DEEPEST = 8

Fields = dict[int, Any]
"""Of a struct, by number: numbers, texts as bytes, lists, and structs."""


class Reader:
    """Reads values one after the other; ValueError where there is none."""

    def __init__(self, raw: bytes, place: int = 0) -> None:
        self.place = place
        self._raw = raw

    def fields(self, depth: int = 0) -> Fields:
        """A struct."""
        return {number: self.value(kind, depth) for number, kind in self.heads()}

    def heads(self) -> Iterator[tuple[int, int]]:
        """The number and the kind of each field of a struct; whoever asks reads its value before the next."""
        number = 0
        while (head := self._byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self._signed()
            yield number, head & 15

    def structs(self, kind: int, most: int) -> Iterator[Fields]:
        """A list of at most so many structs, one after the other."""
        count, of = self._list()
        if kind != _LIST or of != _STRUCT or count > most:
            raise ValueError("it is no list of structs, or too long")
        for _ in range(count):
            yield self.fields(1)

    def value(self, kind: int, depth: int = 0) -> Any:
        """A value of this kind."""
        if kind in _NUMBERS:
            return self._signed()
        if kind == _BINARY:
            return self._bytes(self._unsigned())
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in (_BYTE, _DOUBLE):
            return self._bytes(1 if kind == _BYTE else 8)
        if depth >= _DEEPEST:
            raise ValueError("it is too deep")
        if kind == _STRUCT:
            return self.fields(depth + 1)
        if kind not in (_LIST, _SET):
            raise ValueError("it holds what kvmnb does not write")
        count, of = self._list()
        if count > _MOST_IN_A_LIST:
            raise ValueError("it holds a list that is too long")
        # A truth in a list has a byte of its own.
        return [self.value(_BYTE if of in (_TRUE, _FALSE) else of, depth + 1) for _ in range(count)]

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        return (self._unsigned() if head >> 4 == 15 else head >> 4), head & 15

    def _bytes(self, count: int) -> bytes:
        self.place += count
        if self.place > len(self._raw):
            raise ValueError("it is cut off")
        return self._raw[self.place - count : self.place]

    def _byte(self) -> int:
        if self.place >= len(self._raw):
            raise ValueError("it is cut off")
        self.place += 1
        return self._raw[self.place - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while shift < 64:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise ValueError("it holds a number that is too long")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
