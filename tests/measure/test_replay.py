from __future__ import annotations

import json

import pytest

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.metrics.vcpu import VCPU_RUN
from kvmnb.measure.replay import Loop, read_series, recorded_from, write_series
from kvmnb.measure.series import GUESTS, HOST, Frame, Series

RUN, BUSY = Series(VCPU_RUN.name, "there", 0), Series(HOST_CPU_BUSY.name, "", 1)
FRAMES = [
    Frame(0.0, {RUN: 0.25, BUSY: 1.0}),
    Frame(1.0, {BUSY: 0.5}),
    Frame(2.0, {RUN: 0.123456, Series(VCPU_RUN.name, "foreign", 0): 1.0}),
]
TEXT = write_series(recorded_from(FRAMES, {"there": "web01"}, note="recorded here", made_at="2026-01-02", period=1.0))


def test_a_recording_is_read_back_as_it_was_written() -> None:
    assert write_series(read_series(TEXT, "it")) == TEXT
    assert [json.loads(line) for line in TEXT.splitlines()[1:]] == [[1.0, 0.25], [0.5, None], [None, 0.1235]]


def test_a_replay_gives_row_after_row_under_this_machines_uuids_and_then_begins_again() -> None:
    replay = Loop(read_series(TEXT, "it"), {"web01": "here"})
    here = RUN._replace(guest="here")
    values = []
    gaps = []
    for _ in range(5):
        frame = replay.read()
        assert frame is not None
        values.append(frame.values)
        gaps.append(frame.gaps)
    assert values == [{BUSY: 1.0, here: 0.25}, {BUSY: 0.5}, {here: 0.1235}, {}, {BUSY: 1.0, here: 0.25}]
    assert gaps[3] == dict.fromkeys((GUESTS, HOST), "the recording starts again")
    assert replay.vcpus("here") == (0,)
    assert replay.title_note == "recorded here, replayed"


def test_a_guest_that_this_machine_does_not_have_is_left_out() -> None:
    replay = Loop(read_series(TEXT, "it"), {})
    assert {series for row in replay.recorded() for series in row} == {BUSY}
    assert replay.vcpus("there") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the first line of it cannot be used"),
        (TEXT.replace("kvmnb.series/1", "kvmnb.series/9"), "it has the form 'kvmnb.series/9'"),
        (TEXT.replace(VCPU_RUN.name, "kvm_vcpu_luck_total"), "it holds 'kvm_vcpu_luck_total', which is no metric"),
        (TEXT + "[1.0]\n", "line 5 of it holds 1 values for 2 columns"),
        (TEXT + "[1.0,NaN]\n", "line 5 of it cannot be used: NaN is not a JSON number"),
        (TEXT + '[1.0,"2"]\n', "line 5 of it cannot be used"),
        (TEXT.splitlines()[0], "it holds no rows"),
    ],
)
def test_a_file_that_is_no_recording_says_what_is_wrong_with_it(text: str, told: str) -> None:
    with pytest.raises(KvmnbError, match=told):
        read_series(text, "it")
