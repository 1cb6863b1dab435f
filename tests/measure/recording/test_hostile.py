"""Files that somebody else made, and that are no recording, or no honest one."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import kvmnb
from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError
from kvmnb.measure.recording import form, reading
from kvmnb.measure.recording import frames as module
from kvmnb.measure.recording.cover import KEY, Cover, Mark
from kvmnb.measure.recording.frames import frames
from kvmnb.measure.recording.kinds import is_series
from kvmnb.measure.recording.reading import opened
from kvmnb.measure.recording.session import diagnose_recording
from kvmnb.show.live import LiveChart
from tests.measure.recording.test_recording import BUSY, COVER, START, recorded, some_frames
from tests.terminal.calling import called, refused

Make = Callable[[Path], object]

AT = round(START * 1e6)
HOSTILE = '<img src=x onerror="alert(1)">\n\x1b[31mroot#\x07\u202e'


def rows(count: int = 3, **columns: list[Any]) -> pa.Table:
    """A table of a recording, with other values in some columns."""
    told: dict[str, list[Any]] = {
        "time": [AT + 1_000_000 * number for number in range(count)],
        "metric": [BUSY.metric] * count,
        "guest": [""] * count,
        "uuid": [""] * count,
        "part": ["3"] * count,
        "value": [1.0] * count,
        "highest": [None] * count,
        "count": [1] * count,
        "period_seconds": [1.0] * count,
        "stretch_seconds": [0] * count,
    }
    return pa.table(told | columns, schema=form.schema())


def put(path: Path, *tables: pa.Table, cover: bytes | None = codec.to_json(COVER).encode(), **options: Any) -> None:
    """Write tables, each as a group of rows, with this cover."""
    schema = tables[0].schema.with_metadata({} if cover is None else {KEY: cover})
    with pq.ParquetWriter(path, schema, **options) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=len(table) or None)


def cover_with(**changes: object) -> bytes:
    return json.dumps(json.loads(codec.to_json(COVER)) | changes).encode()


def with_type(name: str, kind: pa.DataType) -> pa.Table:
    table = rows()
    place = table.schema.get_field_index(name)
    return table.set_column(place, name, pa.nulls(len(table), kind))


def lying(path: Path) -> None:
    """A text that unpacks to more than is read, of which the file's end says that it is small."""
    put(path, rows(1, part=["x" * (reading.MOST_GROUP_BYTES + 1000)]), write_statistics=["time", "stretch_seconds"])
    raw = path.read_bytes()
    group = pq.ParquetFile(path).metadata.row_group(0)
    for size in (group.total_byte_size, group.column(4).total_uncompressed_size):
        told = _varint(2 * size)
        assert raw.count(told), "the end of the file tells the size"
        head, _, tail = raw.rpartition(told)
        raw = head + b"\xa0" + b"\x80" * (len(told) - 2) + b"\x00" + tail
    path.write_bytes(raw)
    assert pq.ParquetFile(path).metadata.row_group(0).total_byte_size < 100


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def a_folder_of_parts(path: Path, inside: str) -> None:
    """What a killed recorder leaves, with a pipe in the place of one of its files."""
    folder = path.with_name(path.name + ".parts")
    folder.mkdir()
    if inside != "cover.json":
        (folder / "cover.json").write_text(codec.to_json(COVER))
    os.mkfifo(folder / inside)


NOT_OURS: dict[str, tuple[Make, str]] = {
    "nothing": (lambda path: None, "there is no recording"),
    "empty": (lambda path: path.write_bytes(b""), "is no recording of series"),
    "a text": (lambda path: path.write_text("time,metric\n1,2\n" * 100), "is no recording of series"),
    "the first word alone": (lambda path: path.write_bytes(b"PAR1"), "cannot be read"),
    "both words alone": (lambda path: path.write_bytes(b"PAR1\xff\xff\xff\x7fPAR1"), "cannot be read"),
    "a folder": (lambda path: path.mkdir(), "is no file"),
    "a pipe": (os.mkfifo, "is no file"),
    "a link to itself": (lambda path: path.symlink_to(path), "recording"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "is no file"),
    "another table": (lambda path: pq.write_table(pa.table({"a": [1]}), path), "other columns"),
    "a table of tables": (lambda path: pq.write_table(pa.table({"a": [{"b": {"c": 1}}]}), path), "within columns"),
    "no cover": (lambda path: put(path, rows(), cover=None), "no recording of series"),
    "a cover that is no JSON": (lambda path: put(path, rows(), cover=b"\xff{"), "cannot be used"),
    "a cover of another form": (
        lambda path: put(path, rows(), cover=cover_with(schema="kvmnb.series/9")),
        "kvmnb.series/9",
    ),
    "a cover of other types": (lambda path: put(path, rows(), cover=cover_with(guests=[1])), "cannot be used"),
    "a cover that is deep": (lambda path: put(path, rows(), cover=b"[" * 100_000), "cannot be used"),
    "a huge cover": (lambda path: put(path, rows(), cover=b" " * (reading.MOST_COVER_BYTES + 1)), "larger than"),
    "a cover of no time": (
        lambda path: put(path, rows(), cover=cover_with(began_at=0).replace(b'"began_at": 0', b'"began_at": 1e999')),
        "times that are none",
    ),
    "marks of no time": (
        lambda path: put(
            path, rows(), cover=cover_with(marks=[{"at": -1e300, "kind": "note", "guest": "", "text": "it"}])
        ),
        "times that are none",
    ),
    "a column less": (lambda path: put(path, rows().drop_columns(["count"])), "other columns"),
    "a column of another type": (lambda path: put(path, with_type("value", pa.float64())), "other columns"),
    "times that are none": (lambda path: put(path, rows(time=[AT, 2**62, -(2**62)])), "times that are none"),
    "no times": (lambda path: put(path, rows(time=[None] * 3)), "does not tell when"),
    "a row without time": (lambda path: put(path, rows(time=[None, AT, AT])), "has no number"),
    "a row without metric": (lambda path: put(path, rows(metric=[None, "a", "b"])), "has no number"),
    "no statistics": (lambda path: put(path, rows(), write_statistics=False), "does not tell when"),
    "no rows": (lambda path: put(path, rows(0)), "holds no readings"),
    "too many rows in a group": (
        lambda path: put(path, rows().take(pa.array([0] * (reading.MOST_GROUP_ROWS + 1)))),
        "too large",
    ),
    "a text that is too long": (
        lambda path: put(path, rows(1, part=["x" * (reading.MOST_GROUP_BYTES + 1)])),
        "too large",
    ),
    "a text that is longer than is said": (lying, "unpacks to more"),
    "texts written as what they have in common": (
        lambda path: put(path, rows(), use_dictionary=False, column_encoding={"part": "DELTA_BYTE_ARRAY"}),
        "written in a way",
    ),
    "a pipe as the cover of parts": (lambda path: a_folder_of_parts(path, "cover.json"), "is no file"),
    "a pipe as a part": (lambda path: a_folder_of_parts(path, "000000000-000000001.0.parquet"), "is no file"),
    "a pipe as the lock": (lambda path: a_folder_of_parts(path, "lock"), "holds no readings"),
}


@pytest.mark.parametrize(("make", "words"), NOT_OURS.values(), ids=NOT_OURS)
def test_what_is_no_honest_recording_is_refused_in_one_sentence(make: Make, words: str, tmp_path: Path) -> None:
    path = tmp_path / "it.parquet"
    make(path)
    refused(called("diagnose", "--replay", str(path)), "it.parquet", words)


def test_a_pipe_is_told_from_a_recording_without_waiting_for_who_writes_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "it.parquet")
    assert not is_series(tmp_path / "it.parquet")
    refused(called("facts", "--recorded", str(tmp_path / "it.parquet")))


def test_more_rows_of_the_same_time_than_memory_is_for_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "it.parquet", *[rows()] * 5)
    assert len(list(frames(opened(tmp_path / "it.parquet")))) == 3
    monkeypatch.setattr(reading, "MOST_TOGETHER", 14)
    refused(called("diagnose", "--replay", str(tmp_path / "it.parquet")), "15 rows of the same time")


def test_more_values_of_one_moment_than_a_host_has_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "it.parquet", rows(5, time=[AT] * 5))
    assert len(list(frames(opened(tmp_path / "it.parquet")))) == 1
    monkeypatch.setattr(module, "MOST_OF_A_MOMENT", 4)
    refused(called("diagnose", "--replay", str(tmp_path / "it.parquet")), "5 values of one moment")


def test_values_that_are_no_numbers_and_metrics_that_nobody_knows_are_left_out(tmp_path: Path) -> None:
    put(
        tmp_path / "it.parquet",
        rows(
            8,
            time=[AT + 1_000_000 * second for second in (3, 1, 2, 2, 0, 1, 3, 3)],
            metric=[BUSY.metric] * 4 + ["made_up_total"] + [BUSY.metric] * 3,
            part=["3", "3", "3", "4", "3", "9" * 5000, "5", "6"],
            value=[1.0, 2.0, math.nan, 4.0, 5.0, 6.0, math.inf, -math.inf],
            period_seconds=[1.0, math.nan, math.inf, -1.0, 1.0, None, 0.0, 2.0],
        ),
    )
    got = list(frames(opened(tmp_path / "it.parquet")))
    four, long = BUSY._replace(part=4), BUSY._replace(part="9" * 5000)
    assert [(one.at, one.values, one.period, one.periods) for one in got] == [
        (START + 1, {BUSY: 2.0, long: 6.0}, 0.0, {}),
        (START + 2, {four: 4.0}, 0.0, {}),
        (START + 3, {BUSY: 1.0}, 0.0, {BUSY: 1.0}),
    ]
    assert called("diagnose", "--replay", str(tmp_path / "it.parquet")).returncode in (0, 1)


def test_words_that_a_file_holds_are_shown_as_text(tmp_path: Path) -> None:
    some = some_frames(60)
    mark = Mark(at=START + 5, until=START + 9, kind="gap", guest="uuid-1", text=HOSTILE)
    target = recorded(
        tmp_path / "it.parquet", some, Cover(kvmnb="0", began_at=START, note=HOSTILE, guests={"uuid-1": HOSTILE})
    )
    again = tmp_path / "again.parquet"
    cover = json.loads(pq.ParquetFile(target).schema_arrow.metadata[KEY]) | {"marks": [json.loads(codec.to_json(mark))]}
    put(
        again,
        pq.read_table(target, read_dictionary=list(form.WORDS)).cast(form.schema()),
        cover=json.dumps(cover).encode(),
    )
    for verb in (("diagnose", "--replay"), ("watch", "--interval", "0.02", "--recorded"), ("facts", "--recorded")):
        done = called(*verb, str(again))
        assert done.returncode in (0, 1), done.stderr
        # In JSON every character may stand but these.
        for character in "\x1b\x07":
            assert character not in done.stdout + done.stderr
    here = kvmnb.open(recorded=again)
    try:
        chart = here.watch()
        assert isinstance(chart, LiveChart)
        page = str(chart._repr_mimebundle_()["text/html"])
    finally:
        kvmnb.close()
    assert "<img" not in page


@pytest.mark.parametrize("tries", [40, pytest.param(5000, marks=pytest.mark.soak)])
def test_a_damaged_recording_is_read_or_refused_and_nothing_else(tries: int, tmp_path: Path) -> None:
    whole = recorded(tmp_path / "it.parquet", some_frames(260)).read_bytes()
    end = 8 + int.from_bytes(whole[-8:-4], "little")
    path = tmp_path / "damaged.parquet"
    draw = random.Random(4)
    refusals: list[str] = []
    for _ in range(tries):
        raw = bytearray(whole)
        match draw.randrange(3):
            case 0:
                del raw[draw.randrange(len(raw)) :]
            case 1:
                raw[draw.randrange(len(raw))] = draw.randrange(256)
            case _:
                for _ in range(draw.randrange(1, 4)):
                    raw[-draw.randrange(9, end)] ^= 1 << draw.randrange(8)
        path.write_bytes(raw)
        try:
            diagnose_recording(path)
        except KvmnbError as problem:
            refusals.append(str(problem))
    assert len(refusals) > tries / 2
    assert [one for one in refusals if len(one.splitlines()) != 1] == []
