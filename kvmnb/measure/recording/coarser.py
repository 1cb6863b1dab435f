"""Rows of longer stretches: of each series its mean, its highest value, and of how many values they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from kvmnb.measure.recording.arrow import arrow, numbers, values_of, words
from kvmnb.measure.recording.form import schema
from kvmnb.measure.recording.rows import codes_of

SECOND_US = 1_000_000


def coarser(table: Any, seconds: int) -> Any:
    """The rows of a table, sorted by series and time, as rows of stretches this long, which begin at its multiples."""
    if not len(table):
        return table
    pa = arrow()
    texts = codes_of(table)
    stretch = values_of(table.column("time"), np.int64) // (seconds * SECOND_US)
    begins = np.concatenate(([True], stretch[1:] != stretch[:-1]))
    for codes, _ in texts:
        begins[1:] |= codes[1:] != codes[:-1]
    starts = np.flatnonzero(begins)
    values = values_of(table.column("value"), np.float32)
    counts = values_of(table.column("count"), np.int32)
    highest = values_of(table.column("highest"), np.float32)
    highest = np.where(np.isnan(highest), values, highest)
    sums = np.add.reduceat(values.astype(np.float64) * counts, starts)
    count = np.add.reduceat(counts, starts)
    rows = np.diff(np.append(starts, len(table)))
    period = np.add.reduceat(values_of(table.column("period_seconds"), np.float32).astype(np.float64), starts) / rows
    return pa.table(
        [
            numbers(stretch[starts] * seconds * SECOND_US, pa.timestamp("us", tz="UTC")),
            *(words(codes[starts], known) for codes, known in texts),
            numbers((sums / count).astype(np.float32), pa.float32()),
            numbers(np.maximum.reduceat(highest, starts), pa.float32()),
            numbers(count.astype(np.int32), pa.int32()),
            numbers(np.maximum(period, seconds).astype(np.float32), pa.float32()),
            numbers(np.full(len(starts), seconds, np.int16), pa.int16()),
        ],
        schema=schema(),
    )


def joined(tables: list[Any]) -> Any:
    """Tables as one, sorted by series and time."""
    pa = arrow()
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    keys = [values_of(table.column("time"), np.int64)]
    for codes, known in reversed(codes_of(table)):
        rank = np.empty(max(1, len(known)), np.int32)
        rank[sorted(range(len(known)), key=known.__getitem__)] = np.arange(len(known), dtype=np.int32)
        keys.append(rank[codes])
    return table.take(numbers(np.lexsort(keys), pa.int64()))
