from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from kvmnb.core.errors import Refused
from kvmnb.measure.recording.ageing import PART_SECONDS
from kvmnb.measure.recording.cover import Cover
from kvmnb.measure.recording.form import TICK_PERIOD
from kvmnb.measure.recording.frames import frames
from kvmnb.measure.recording.kinds import folder_of
from kvmnb.measure.recording.reading import opened
from kvmnb.measure.recording.writing import Writing
from kvmnb.measure.series import Event, Frame, Series

RUN, DISK = Series("kvm_vcpu_run_seconds_total", "uuid-1", 0), Series("kvm_disk_reads_total", "uuid-1", "0")
BUSY = Series("host_cpu_busy_seconds_total", "", 3)
COVER = Cover(kvmnb="0", began_at=0.0, note="recorded here", guests={"uuid-1": "web01"})
# The beginning of a part, and of every stretch.
START = 1_700_000_100.0


def some_frames(count: int, seed: int = 1, start: float = START) -> list[Frame]:
    """Frames of values that are exact in the file's precision."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        values = {RUN: draw.randrange(64) / 64, BUSY: float(number)}
        if number % 10 == 3:
            values[DISK] = draw.randrange(1000) / 4
        if number % 7 == 5:
            del values[RUN]
        periods = {DISK: 10.5} if DISK in values else {}
        found.append(Frame(start + number + draw.randrange(1000) / 1e6, values, {}, 1.0, periods))
    return found


def frame_of(number: int) -> Frame:
    """A frame of a slow recording, a minute after the one before; its number is its value."""
    return Frame(START + 60 * number, {BUSY: float(number)}, {}, 60.0)


def held(target: Path) -> tuple[int, float]:
    """How many readings a recording holds, and the sum of the values of one series."""
    stored, readings, total = opened(target), 0, 0.0
    for group in stored.groups:
        for row in stored.table(group).to_pylist():
            if row["metric"] == TICK_PERIOD.name:
                readings += row["count"]
            elif row["metric"] == BUSY.metric:
                total += row["count"] * row["value"]
    return readings, total


def recorded(target: Path, some: Iterable[Frame], cover: Cover = COVER) -> Path:
    writing = Writing(target, cover, instead=False)
    for frame in some:
        writing.add(frame)
    writing.close("stopped")
    return target


def replayed(target: Path) -> list[Frame]:
    return list(frames(opened(target)))


def test_frames_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    some = some_frames(700)
    some[20] = Frame(some[20].at, {}, {"uuid-1": "no answer"}, 1.0, {})
    some[21] = Frame(some[21].at, {BUSY: 1.0}, {"uuid-1": "no answer"}, 1.0, {})
    some[30] = Frame(some[30].at, {BUSY: 1.0}, {}, 1.0, {}, (Event(some[30].at, "guest stopped", "uuid-1", "it"),))
    got = replayed(recorded(tmp_path / "it.parquet", some))
    assert [(round(one.at, 6), one.values, one.gaps, one.period, one.periods, one.events) for one in got] == [
        (round(one.at, 6), one.values, one.gaps, one.period, one.periods, one.events) for one in some
    ]
    assert not folder_of(tmp_path / "it.parquet").exists()


def test_what_is_older_than_an_hour_is_kept_as_means_and_highest_values(tmp_path: Path) -> None:
    some = [replace(one, at=START + 5 * number, period=5.0) for number, one in enumerate(some_frames(1440))]
    table = pd.read_parquet(recorded(tmp_path / "it.parquet", some))
    assert table.attrs["schema"] == "kvmnb.series/2"
    first = table[(table.metric == BUSY.metric) & (table.time == pd.Timestamp(START, unit="s", tz="UTC"))]
    assert first[["guest", "uuid", "part", "value", "highest", "count", "period_seconds", "stretch_seconds"]].to_dict(
        "records"
    ) == [
        {
            "guest": "", "uuid": "", "part": "3", "value": 0.5, "highest": 1.0, "count": 2,
            "period_seconds": 10.0, "stretch_seconds": 10,
        }
    ]  # fmt: skip
    fine = table[(table.metric == BUSY.metric) & (table.stretch_seconds == 0)]
    assert 3600 <= 5 * len(fine) < 3600 + 5 * PART_SECONDS + PART_SECONDS
    assert fine.value.max() == 1439
    counted = table[table.metric == "kvmnb_sampler_period_seconds"]["count"].sum()
    assert counted == len(some)


def test_a_day_is_kept_in_minutes_and_no_more(tmp_path: Path) -> None:
    some = [Frame(START + 120 * number, {BUSY: float(number)}, {}, 120.0) for number in range(30 * 30)]
    table = pd.read_parquet(recorded(tmp_path / "it.parquet", some))
    rows = table[table.metric == BUSY.metric].sort_values("time")
    newest = rows.time.max()
    old = rows[rows.stretch_seconds == 60]
    assert 24 * 30 <= len(rows) < 25 * 30 + 5
    assert list(rows.value) == sorted(rows.value)
    assert newest - old.time.max() >= pd.Timedelta(hours=6)
    assert newest - rows[rows.stretch_seconds == 10].time.max() >= pd.Timedelta(hours=1)


def test_a_killed_recorder_leaves_what_it_had_flushed(tmp_path: Path) -> None:
    some = some_frames(425)
    target = tmp_path / "it.parquet"
    writing = Writing(target, COVER, instead=False)
    for frame in some:
        writing.add(frame)
    writing._folder.release()  # what the kernel does to a killed process's lock
    left = opened(target)
    got = list(frames(left))
    assert left.early == "its recorder was killed"
    assert len(got) >= len(some) - 11
    assert [one.values for one in got] == [one.values for one in some[: len(got)]]
    with pytest.raises(Refused, match="ended early; it can still be replayed"):
        Writing(target, COVER, instead=False)
    recorded_anew = Writing(target, COVER, instead=True)
    recorded_anew.add(some[0])
    recorded_anew.close("stopped")
    assert [one.values for one in replayed(target)] == [some[0].values]
