"""The table of a recording: its columns, and how they are kept in a Parquet file.

A row is one value of one series. ``stretch_seconds`` is 0 where it is a value as it was read, and else the length of
the stretch whose mean it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import METRICS
from kvmnb.measure.recording.arrow import arrow

WORDS = ("metric", "guest", "uuid", "part")
"""The columns of text, in the order in which rows are sorted."""

TICK_PERIOD = Metric(
    name="kvmnb_sampler_period_seconds",
    kind="gauge",
    unit="seconds",
    of="host",
    label="",
    help="One row for each reading of the sampler, whatever it brought: the seconds from one reading to the next, as "
    "they were meant. Of a stretch the count tells how many readings it held.",
    source="kvmnb's recorder",
    cost="none",
    period=1.0,
)

# A part is a number where its label is one of these, and else a name, be it "0".
_NUMBERED = {one.name for one in METRICS if one.label in ("vcpu", "cpu", "node")}

# A row group is what is read or joined at once: some 50 bytes a row while it is.
GROUP_ROWS = 65_536


@cache
def schema() -> Any:
    """The columns."""
    pa = arrow()
    words = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("time", pa.timestamp("us", tz="UTC")),
            *((name, words) for name in WORDS),
            ("value", pa.float32()),
            ("highest", pa.float32()),
            ("count", pa.int32()),
            ("period_seconds", pa.float32()),
            ("stretch_seconds", pa.int16()),
        ]
    )


def part_of(metric: str, text: str) -> int | str:
    """A series' part from its text."""
    return int(text) if metric in _NUMBERED and text.isascii() and text.isdecimal() and len(text) < 10 else text


def write(path: Path, tables: Iterable[Any], metadata: Mapping[bytes, bytes]) -> None:
    """Write a file: a row group for each table. OSError as it fails, and then there is no file."""
    pa = arrow()
    try:
        with (
            open(path, "xb") as stream,
            pa.parquet.ParquetWriter(
                stream,
                schema().with_metadata(dict(metadata)),
                compression="zstd",
                compression_level=3,
                use_dictionary=["time", *WORDS, "count", "period_seconds", "stretch_seconds"],
                use_byte_stream_split=["value", "highest"],
            ) as writer,
        ):
            for table in tables:
                writer.write_table(table, row_group_size=len(table) or None)
    except BaseException:
        with suppress(FileNotFoundError):
            path.unlink()
        raise


def settle(path: Path) -> None:
    """Have a file's content on the disk, so that a power cut does not take it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def opened(path: Path) -> Any:
    """A Parquet file, opened with its texts kept as dictionaries."""
    return arrow().parquet.ParquetFile(path, read_dictionary=list(WORDS), pre_buffer=False)


def table(file: Any, number: int) -> Any:
    """The rows of one row group of an opened file."""
    # By one thread: each that reads keeps memory of its own.
    return file.read_row_group(number, use_threads=False)
