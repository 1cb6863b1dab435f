"""Sorted rows of several parts as one sorted stream, of which little is in memory at any moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from kvmnb.measure.recording.coarser import Name, Rows


def merged(streams: Sequence[Iterator[Rows]]) -> Iterator[Rows]:
    """The rows of all streams, sorted by series and time; whole series at once."""
    heads = [next(stream, None) for stream in streams]
    while True:
        least = min((head.names[-1] for head in heads if head is not None), default=None)
        if least is None:
            return
        pieces: list[Rows] = []
        for number, stream in enumerate(streams):
            head = heads[number]
            while head is not None and head.names[0] <= least:
                piece, rest = _cut(head, least)
                pieces.append(piece)
                head = next(stream, None) if rest is None else rest
            heads[number] = head
        yield _joined(pieces)


def groups(stream: Iterable[Rows], most: int) -> Iterator[Rows]:
    """The same rows, in pieces of at most so many, which part no series that is not longer itself."""
    gathered: list[Rows] = []
    count = 0
    for rows in stream:
        begin = 0
        while begin < len(rows.at):
            room = most - count
            end = begin + room
            if end < len(rows.at):
                # Back to where a series begins.
                end = int(np.searchsorted(rows.series, rows.series[end]))
                if end <= begin:
                    end = begin if count else begin + room
            if end > begin:
                piece = rows.slice(begin, min(end, len(rows.at)))
                gathered.append(piece)
                count += len(piece.at)
                begin += len(piece.at)
            if begin < len(rows.at):
                yield _joined(gathered)
                gathered, count = [], 0
    if gathered:
        yield _joined(gathered)


def _cut(rows: Rows, least: Name) -> tuple[Rows, Rows | None]:
    """The rows of the series up to this one, and those of the others."""
    known = bisect_right(rows.names, least)
    if known == len(rows.names):
        return rows, None
    end = int(np.searchsorted(rows.series, known))
    rest = rows.slice(end, len(rows.at))
    return rows.slice(0, end), replace(rest, names=rows.names[known:], series=rest.series - np.int32(known))


def _joined(pieces: Sequence[Rows]) -> Rows:
    names = sorted({name for rows in pieces for name in _present(rows)})
    number = {name: place for place, name in enumerate(names)}
    series = np.concatenate(
        [np.array([number.get(name, -1) for name in rows.names], np.int32)[rows.series] for rows in pieces]
    )
    columns = [np.concatenate(column) for column in zip(*(rows.columns for rows in pieces), strict=True)]
    order = np.lexsort((columns[0], series))
    return Rows(names, series[order], *(column[order] for column in columns))


def _present(rows: Rows) -> Iterable[Name]:
    return (rows.names[place] for place in np.unique(rows.series))
