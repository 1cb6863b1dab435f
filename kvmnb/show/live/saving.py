"""A chart's lines as a file: CSV, Parquet, or a page that opens without a kernel."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kvmnb.core.errors import KvmnbError
from kvmnb.show.live.caption import Cell
from kvmnb.show.live.trace import Trace

ENDINGS = (".csv", ".parquet", ".html")
# A spreadsheet takes a cell that begins so for a formula; names of guests and devices are hostile.
FORMULA = re.compile(r"^[=+\-@\t\r]")


def headings(traces: Sequence[Trace]) -> list[str]:
    """What each column holds, with its unit."""
    return [f"{trace.name} [{trace.unit.name}]" for trace in traces]


def as_csv(traces: Sequence[Trace], rows: Sequence[Sequence[Cell]]) -> str:
    """A row for each tick; a cell is empty where nothing was read."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", *(FORMULA.sub(lambda found: f"'{found[0]}", one) for one in headings(traces))])
    for row in rows:
        writer.writerow([_time(row).isoformat(), *("" if value in (None, False) else value for value in row[1:])])
    return out.getvalue()


def write_parquet(path: Path, traces: Sequence[Trace], rows: Sequence[Sequence[Cell]]) -> None:
    """The same as a Parquet file; KvmnbError where pyarrow is missing."""
    # It brings numpy, which no chart needs to be drawn.
    from kvmnb.measure.recording.arrow import arrow

    library = arrow()
    columns: dict[str, Any] = {"time": library.array([_time(row) for row in rows], library.timestamp("ms", tz="UTC"))}
    for place, name in enumerate(headings(traces), start=1):
        values = [None if row[place] is False else row[place] for row in rows]
        columns[name] = library.array(values, library.float64())
    library.parquet.write_table(library.table(columns), path)


def ending(path: Path) -> str:
    """The form that a file's name asks for; KvmnbError that says which there are."""
    if path.suffix.lower() in ENDINGS:
        return path.suffix.lower()
    if path.suffix.lower() in (".png", ".svg"):
        raise KvmnbError(
            f"saving the chart as {path.name}: a picture is made where the chart is drawn; "
            f"take {path.suffix[1:].upper()} in the chart's own Save menu"
        )
    raise KvmnbError(f"saving the chart as {path.name}: its name must end with {', '.join(ENDINGS)}")


def _time(row: Sequence[Cell]) -> datetime:
    return datetime.fromtimestamp(round(row[0] or 0.0, 3), UTC)
