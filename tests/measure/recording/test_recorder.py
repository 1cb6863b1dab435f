"""A recorder whose disk is full, or slow."""

from __future__ import annotations

import os
import re
import resource
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.recording import recorder as module
from kvmnb.measure.recording import writing
from kvmnb.measure.recording.frames import frames
from kvmnb.measure.recording.kinds import folder_of
from kvmnb.measure.recording.reading import opened
from kvmnb.measure.recording.recorder import Known, Recorder
from kvmnb.measure.recording.writing import Writing
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame
from tests.measure.recording.test_recording import BUSY, COVER, RUN, START, held, recorded, some_frames
from tests.measure.test_sampler import Counting, until

PERIOD = 0.02


class Hurried(Counting):
    """Has a second pass from one reading to the next."""

    def read(self) -> Frame:
        super().read()
        count = len(self.read_at) - 1
        return Frame(START + count, {BUSY: float(count), RUN: 0.5}, {}, 1.0)


def test_a_full_disk_ends_the_recording_and_leaves_what_it_held_and_the_sampler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "it.parquet"
    sampler = Sampler(Hurried())
    seen: list[Frame] = []
    with sampler.subscribe(seen.append, period=PERIOD):
        recorder = Recorder(sampler, target, COVER, period=PERIOD)
        until(lambda: recorder.frames > 25)
        monkeypatch.setattr(writing, "LEAST_FREE_BYTES", 2**62)
        until(lambda: not recorder.running)
        told = recorder.problem
        count = len(seen)
        until(lambda: len(seen) > count + 3)
    assert told is not None and told.startswith(f"the recording {target} stopped: ")
    assert "what was recorded until 2023-11-14 22:15" in told and f"is in {folder_of(target)}" in told
    assert [one.text for frame in seen for one in frame.events] == [told]
    with pytest.raises(KvmnbError, match="stopped: "):
        recorder.stop()
    assert not target.exists()
    left = opened(target)
    assert left.early is not None and left.early.startswith("stopped by itself: ")
    readings, total = held(target)
    values = [frame.values[BUSY] for frame in frames(left)]
    assert (readings, total) == (len(values), sum(values))
    assert readings >= 20 and values == sorted(set(values))


def test_a_file_that_cannot_grow_leaves_the_parts_and_nothing_at_the_target(tmp_path: Path) -> None:
    target = tmp_path / "it.parquet"
    some = some_frames(600)
    size = os.path.getsize(recorded(tmp_path / "whole.parquet", some))
    making = Writing(target, COVER, instead=False)
    for frame in some:
        making.add(frame)
    making.flush()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            making.close("stopped")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    making.abandon("stopped by itself: no room")
    assert not target.exists()
    assert not [one for one in os.listdir(folder_of(target)) if one.startswith("whole")]
    assert opened(target).early == "stopped by itself: no room"
    assert [one.values for one in frames(opened(target))] == [one.values for one in some]


@pytest.mark.parametrize("goes_on", [True, False])
def test_readings_that_a_slow_disk_did_not_take_are_counted_in_the_recording(
    *, goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    target = tmp_path / "it.parquet"
    source = Hurried()
    sampler = Sampler(source)
    free = threading.Event()

    def known() -> Known:
        free.wait(20)
        return Known()

    with Recorder(sampler, target, replace(COVER, guests={}), known=known, period=PERIOD) as recorder:
        until(lambda: len(source.read_at) > 30)
        if goes_on:
            free.set()
            until(lambda: recorder.frames > 20)
        else:
            # Whoever stops waits for the disk.
            threading.Timer(0.2, free.set).start()
    got = list(frames(opened(target)))
    notes = [one.text for frame in got for one in frame.events]
    left_out = [int(re.match(r"\d+", text)[0]) for text in notes]  # type: ignore[index]
    assert notes and all(text.endswith("this one are not recorded: the disk did not keep up") for text in notes)
    # The last reading may come when nobody listens any more.
    assert len(source.read_at) - len(got) - sum(left_out) in (0, 1)
