"""How much the pages of a Parquet file come to, before anything of them is unpacked.

What a file's end says of its columns is only said. A page's own head says how much room its content is given when it is
unpacked, and how each value is written; both are seen here first, so that a small file cannot fill the memory.
Heads are in the compact protocol of Thrift; their fields are those of ``parquet.thrift``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY = range(9)
_STRUCT = 12
_WHOLE = {_I16, _I32, _I64}
# Statistics stand in a head, with a text of each bound; those of kvmnb's columns are short.
MOST_HEAD_BYTES = 64 * 1024
_DATA, _DICTIONARY, _DATA_2 = 5, 7, 8
# PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY, BYTE_STREAM_SPLIT: none makes a long text from a short one.
_ENCODINGS = {0, 2, 3, 4, 8, 9}

Field = dict[int, Any]


class Page(NamedTuple):
    """One page, as its head tells."""

    unpacked: int
    """Bytes."""
    packed: int
    """Bytes in the file, after the head."""
    values: int
    of_rows: bool
    """Whether it holds values of rows; else it is a dictionary."""


def pages(stream: BinaryIO, begin: int, size: int, rows: int) -> Iterator[Page]:
    """The pages of a column from ``begin`` on, till so many rows are told; ValueError where they are not kvmnb's."""
    place, told = begin, 0
    while told < rows:
        if not begin <= place < begin + size:
            raise ValueError("its pages end before its rows do")
        stream.seek(place)
        head = _Head(stream.read(MOST_HEAD_BYTES))
        page = _page(head.fields())
        yield page
        told += page.values if page.of_rows else 0
        place += head.place + page.packed


def _page(fields: Field) -> Page:
    kind = next((one for one in (_DATA, _DICTIONARY, _DATA_2) if one in fields), None)
    if kind is None:
        raise ValueError("a page is of no known kind")
    of_kind = fields[kind]
    if not isinstance(of_kind, dict) or of_kind.get(4 if kind == _DATA_2 else 2) not in _ENCODINGS:
        raise ValueError("a page is written in a way that kvmnb does not write")
    return Page(_size(fields.get(2)), _size(fields.get(3)), _size(of_kind.get(1)), kind != _DICTIONARY)


def _size(told: object) -> int:
    if not isinstance(told, int) or told < 0:
        raise ValueError("a page does not tell its size")
    return told


class _Head:
    """Reads one struct; ValueError where it is none."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.place = 0

    def fields(self, depth: int = 0) -> Field:
        """The fields by number, structs as such; texts and lists are passed over."""
        if depth > 4:
            raise ValueError("a page's head is too deep")
        found: Field = {}
        number = 0
        while (head := self._byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self._signed()
            found[number] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in _WHOLE:
            return self._signed()
        if kind == _STRUCT:
            return self.fields(depth + 1)
        if kind in (_BYTE, _DOUBLE, _BINARY):
            size = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self._unsigned()
            self.place += size
            return None
        raise ValueError("a page's head holds what none of kvmnb's does")

    def _byte(self) -> int:
        if self.place >= len(self._raw):
            raise ValueError("a page's head is cut off")
        self.place += 1
        return self._raw[self.place - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a page's head holds a number that is too long")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
