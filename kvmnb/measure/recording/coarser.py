"""Rows of longer stretches: of each series its mean, its highest value, and of how many values they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from kvmnb.measure.recording.arrow import arrow
from kvmnb.measure.recording.form import schema
from kvmnb.measure.recording.rows import codes_of

SECOND_US = 1_000_000


def coarser(table: Any, seconds: int) -> Any:
    """The rows of a table, sorted by series and time, as rows of stretches this long, which begin at its multiples."""
    if not len(table):
        return table
    pa = arrow()
    words = codes_of(table)
    at = table.column("time").cast(pa.int64()).to_numpy()
    stretch = at // (seconds * SECOND_US)
    begins = np.concatenate(([True], stretch[1:] != stretch[:-1]))
    for codes, _ in words:
        begins[1:] |= codes[1:] != codes[:-1]
    starts = np.flatnonzero(begins)
    values = table.column("value").to_numpy()
    counts = table.column("count").to_numpy()
    highest = table.column("highest").to_numpy()
    highest = np.where(np.isnan(highest), values, highest)
    sums = np.add.reduceat(values.astype(np.float64) * counts, starts)
    number = np.add.reduceat(counts, starts)
    rows = np.diff(np.append(starts, len(table)))
    period = np.add.reduceat(table.column("period_seconds").to_numpy().astype(np.float64), starts) / rows
    return pa.table(
        [
            pa.array(stretch[starts] * seconds * SECOND_US, pa.timestamp("us", tz="UTC")),
            *(pa.DictionaryArray.from_arrays(codes[starts], pa.array(known)) for codes, known in words),
            pa.array((sums / number).astype(np.float32)),
            pa.array(np.maximum.reduceat(highest, starts)),
            pa.array(number.astype(np.int32)),
            pa.array(np.maximum(period, seconds).astype(np.float32)),
            pa.array(np.full(len(starts), seconds, np.int16)),
        ],
        schema=schema(),
    )


def joined(tables: list[Any]) -> Any:
    """Tables as one, sorted by series and time."""
    pa = arrow()
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    keys = [table.column("time").cast(pa.int64()).to_numpy()]
    for codes, known in reversed(codes_of(table)):
        rank = np.empty(max(1, len(known)), np.int32)
        rank[sorted(range(len(known)), key=known.__getitem__)] = np.arange(len(known), dtype=np.int32)
        keys.append(rank[codes])
    return table.take(pa.array(np.lexsort(keys)))
