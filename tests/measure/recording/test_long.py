"""Many hours of a host on which guests come and go and the clock is set."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kvmnb.measure.recording.ageing import PART_SECONDS
from kvmnb.measure.recording.cover import Cover
from kvmnb.measure.recording.form import TICK_PERIOD
from kvmnb.measure.recording.frames import frames
from kvmnb.measure.recording.kinds import folder_of
from kvmnb.measure.recording.reading import opened
from kvmnb.measure.recording.writing import Writing
from kvmnb.measure.series import Event, Frame, Series
from tests.measure.recording.test_recording import START

PERIOD = 20.0
COVER = Cover(kvmnb="0", began_at=START, note="made up", guests={})
RUN = "kvm_vcpu_run_seconds_total"


def hours(count: float, seed: int) -> Iterator[Frame]:
    """Frames of so many hours, each at a moment of its own, with values that are exact in the file's precision."""
    draw = random.Random(seed)
    at, left = START, count * 3600
    guests = ["uuid-0", "uuid-1", "uuid-2"]
    come = len(guests)
    while left > 0:
        left -= PERIOD
        at += PERIOD
        events: tuple[Event, ...] = ()
        match draw.randrange(400):
            case 0:
                # The machine slept.
                at += draw.randrange(60, 40_000)
            case 1:
                at -= draw.randrange(1, 5000)
            case 2:
                at += draw.randrange(100)
            case 3 | 4 if len(guests) > 1:
                events = (Event(at, "guest stopped", guests.pop(draw.randrange(len(guests))), "it"),)
            case 5 | 6:
                guests.append(f"uuid-{come}")
                come += 1
                events = (Event(at, "guest started", guests[-1], "it"),)
        gaps = {one: "no answer" for one in guests if draw.random() < 0.05}
        values = {
            Series(RUN, one, vcpu): draw.randrange(256) / 256
            for one in guests
            if one not in gaps
            for vcpu in (0, 1)
            if draw.random() < 0.9
        }
        # No two frames are of the same microsecond, and no frame leaves its stretch by this.
        yield Frame(round(at) + draw.randrange(900_000) / 1e6, values, gaps, PERIOD, {}, events)


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 8), *(pytest.param(seed, 23, marks=pytest.mark.soak) for seed in range(2, 6))]
)
def test_a_long_recording_holds_every_reading_once_and_the_last_hour_as_it_was_read(
    seed: int, count: int, tmp_path: Path
) -> None:
    target = tmp_path / "it.parquet"
    writing = Writing(target, COVER, instead=False)
    some, most_files = [], 0
    for number, frame in enumerate(hours(count, seed)):
        writing.add(frame)
        some.append(frame)
        if number % 40 == 0:
            most_files = max(most_files, len(list(folder_of(target).iterdir())))
    writing.close("stopped")
    given: dict[Series, list[tuple[float, float]]] = defaultdict(list)
    for frame in some:
        given[Series(TICK_PERIOD.name, "", "")].append((frame.at, PERIOD))
        for one, value in frame.values.items():
            given[one].append((frame.at, value))
    told = table_of(target)
    assert {one: sum(count for _, _, _, _, count in rows) for one, rows in told.items()} == {
        one: len(values) for one, values in given.items()
    }
    for one, rows in told.items():
        check(rows, given[one])
    # The newest hour, as it was read; what is older is in at most so many files.
    newest = some[-int(3600 / PERIOD) :]
    replayed = {round(one.at, 6): one.values for one in frames(opened(target)) if one.period == PERIOD}
    assert [replayed.get(round(one.at, 6)) for one in newest] == [one.values for one in newest]
    assert most_files < 3600 / PART_SECONDS + 3 * count + 60


Row = tuple[float, int, float, float, int]
"""When, how long the stretch, mean, highest, count."""


def table_of(target: Path) -> dict[Series, list[Row]]:
    stored = opened(target)
    found: dict[Series, list[Row]] = defaultdict(list)
    for group in stored.groups:
        columns = stored.table(group).to_pydict()
        at = stored.table(group).column("time").cast("int64").to_pylist()
        for row in range(group.rows):
            part = columns["part"][row]
            one = Series(columns["metric"][row], columns["uuid"][row], int(part) if part else part)
            highest = columns["highest"][row]
            value = columns["value"][row]
            found[one].append(
                (
                    at[row] / 1e6,
                    columns["stretch_seconds"][row],
                    value,
                    value if highest is None else highest,
                    columns["count"][row],
                )
            )
    return found


def check(rows: list[Row], given: list[tuple[float, float]]) -> None:
    """Each row is what the readings of its stretch come to, as far as the clock did not come by twice."""
    for begins, stretch, mean, highest, count in rows:
        inside = [
            value for at, value in given if (begins <= at < begins + stretch if stretch else abs(at - begins) < 1e-6)
        ]
        assert len(inside) >= count
        if len(inside) == count:
            assert (mean, highest) == pytest.approx((np.mean(inside), max(inside)), rel=1e-6)
        else:
            assert min(inside) <= mean <= highest <= max(inside)
