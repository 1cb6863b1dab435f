from __future__ import annotations

from kvmnb.measure.ring import Ring
from kvmnb.measure.series import Frame, Series

A, B = Series("m", "a", 0), Series("m", "b", 0)


def frames(ring: Ring, last: int = 99) -> list[tuple[float, dict[Series, float]]]:
    return [(frame.at, dict(frame.values)) for frame in ring.frames(lambda series: True, last)]


def test_only_the_newest_frames_are_kept_oldest_first() -> None:
    ring = Ring(3)
    for at in range(5):
        ring.append(Frame(float(at), {A: at / 8}))
    assert len(ring) == 3
    assert frames(ring) == [(2.0, {A: 0.25}), (3.0, {A: 0.375}), (4.0, {A: 0.5})]
    assert frames(ring, 1) == [(4.0, {A: 0.5})]


def test_a_series_that_comes_late_or_pauses_has_gaps_and_no_old_values() -> None:
    ring = Ring(3)
    for frame in (Frame(0, {A: 1.0}), Frame(1, {A: 1.0, B: 2.0}), Frame(2, {B: 3.0}), Frame(3, {A: 4.0})):
        ring.append(frame)
    assert frames(ring) == [(1, {A: 1.0, B: 2.0}), (2, {B: 3.0}), (3, {A: 4.0})]


def test_a_series_of_which_nothing_is_left_takes_no_memory() -> None:
    ring = Ring(2)
    for number in range(50):
        ring.append(Frame(float(number), {Series("m", str(number), 0): 1.0}))
    assert len(ring._columns) == 2
    assert len(ring._last_seen) == 2


def test_only_the_series_that_are_wanted_come_back_with_the_reasons_of_gaps() -> None:
    ring = Ring(2)
    ring.append(Frame(0.0, {A: 1.0, B: 2.0}, {"c": "gone"}))
    (frame,) = ring.frames(lambda series: series == B, 5)
    assert frame == Frame(0.0, {B: 2.0}, {"c": "gone"})
