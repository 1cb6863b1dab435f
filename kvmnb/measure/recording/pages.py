"""What a Parquet file says of its rows, and how much its pages come to, before anything of them is unpacked.

What a file's end says of its columns is only said. A page's own head says how much room its content is given when it is
unpacked, and how each value is written; both are seen here first, so that a small file cannot fill the memory.
Numbers of fields are those of ``parquet.thrift``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from kvmnb.measure.recording.thrift import Fields, Reader

MAGIC_BYTES = 4
MOST_END_BYTES = 48 * 1024**2
MOST_GROUPS = 50_000
# A recording has ten; whoever has others is told so.
_MOST_COLUMNS = 100
# Statistics stand in a page's head, with a text of each bound; those of kvmnb's columns are short.
_MOST_HEAD_BYTES = 64 * 1024
_DATA, _DICTIONARY, _DATA_2 = 5, 7, 8
# PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY, BYTE_STREAM_SPLIT: none makes a long text from a short one.
_ENCODINGS = {0, 2, 3, 4, 8, 9}


class Chunk(NamedTuple):
    """A column of a group of rows, as the file's end tells of it."""

    begins: int
    """Where its first page is in the file."""
    packed: int
    """Bytes in the file."""
    unpacked: int
    """Bytes."""
    least: bytes | None
    """The least value, as it is written; None where that is not told."""
    most: bytes | None


class Told(NamedTuple):
    """A group of rows, as the file's end tells of it."""

    rows: int
    unpacked: int
    """Bytes."""
    chunks: tuple[Chunk, ...]


class Page(NamedTuple):
    """One page, as its head tells."""

    unpacked: int
    """Bytes."""
    packed: int
    """Bytes in the file, after the head."""
    values: int
    of_rows: bool
    """Whether it holds values of rows; else it is a dictionary."""


def told_groups(path: Path) -> Iterator[Told]:
    """The groups of rows of a file; ValueError where its end is not as kvmnb writes it."""
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 4 - MAGIC_BYTES))
        length = int.from_bytes(stream.read(4), "little")
        if length > min(size - 4 - 2 * MAGIC_BYTES, MOST_END_BYTES):
            raise ValueError("its end is missing or too long; the file may be cut off")
        stream.seek(size - 4 - MAGIC_BYTES - length)
        reader = Reader(stream.read(length))
    for number, kind in reader.heads():
        if number == 2:
            _check_flat(list(reader.structs(kind, _MOST_COLUMNS)))
            continue
        if number != 4:
            reader.value(kind)
            continue
        for group in reader.structs(kind, MOST_GROUPS):
            chunks = tuple(_chunk(column) for column in _of(group, 1, list))
            yield Told(_size(group.get(3)), max(_size(group.get(2)), sum(one.unpacked for one in chunks)), chunks)


def _check_flat(schema: list[Fields]) -> None:
    """See that columns are not within columns, which pyarrow follows as deep as they go."""
    if any(column.get(5) for column in schema[1:]):
        raise ValueError("it has columns within columns")


def _chunk(column: object) -> Chunk:
    if not isinstance(column, dict):
        raise ValueError("a column of it is none")
    told: Fields = _of(column, 3, dict)
    begins = [_size(told[number]) for number in (9, 11) if number in told]
    bounds: Fields = told.get(12, {})
    if not begins or not isinstance(bounds, dict):
        raise ValueError("it does not tell where a column is")
    least, most = (bounds.get(number) for number in (6, 5))
    return Chunk(
        min(begins),
        _size(told.get(7)),
        _size(told.get(6)),
        least if isinstance(least, bytes) else None,
        most if isinstance(most, bytes) else None,
    )


def pages(stream: BinaryIO, chunk: Chunk, rows: int) -> Iterator[Page]:
    """The pages of a column till so many rows are told; ValueError where they are not kvmnb's."""
    place, told = chunk.begins, 0
    while told < rows:
        if place >= chunk.begins + chunk.packed:
            raise ValueError("its pages end before its rows do")
        stream.seek(place)
        reader = Reader(stream.read(_MOST_HEAD_BYTES))
        page = _page(reader.fields())
        yield page
        told += page.values if page.of_rows else 0
        place += reader.place + page.packed


def _page(fields: Fields) -> Page:
    kind = next((one for one in (_DATA, _DICTIONARY, _DATA_2) if one in fields), 0)
    of_kind: Fields = _of(fields, kind, dict)
    if _size(of_kind.get(4 if kind == _DATA_2 else 2)) not in _ENCODINGS:
        raise ValueError("a page is written in a way that kvmnb does not write")
    return Page(_size(fields.get(2)), _size(fields.get(3)), _size(of_kind.get(1)), kind != _DICTIONARY)


def _of(fields: Fields, number: int, kind: type) -> Any:
    if not isinstance(fields.get(number), kind):
        raise ValueError("it does not tell what each of kvmnb's tells")
    return fields[number]


def _size(told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or told < 0:
        raise ValueError("it does not tell the size of its rows")
    return told
