from __future__ import annotations

import random
from collections import deque

from kvmnb.measure.blocks import Blocks
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


def test_what_a_ring_gives_is_what_a_list_of_the_last_frames_holds() -> None:
    draw = random.Random(1)
    for capacity in (1, 59, 60, 61, 150):
        ring, kept = Ring(capacity), deque[Frame](maxlen=capacity)
        for number in range(400):
            there = [series for series in (A, B, Series("m", str(number // 100), 0)) if draw.random() < 0.7]
            gaps = {"c": f"since {number // 30}"} if number % 50 < 30 else {}
            frame = Frame(float(number), {series: draw.randrange(1000) / 8 for series in there}, gaps)
            ring.append(frame)
            kept.append(frame)
            if number % 37 == 0:
                last = draw.randrange(1, 200)
                assert ring.frames(lambda series: True, last) == list(kept)[-last:]


def test_a_series_of_which_nothing_is_left_takes_no_memory() -> None:
    blocks = Blocks(2)
    sizes = []
    for number in range(50):
        blocks.append(float(number), {Series("m", str(number), 0): 1.0})
        sizes.append(blocks.size)
    assert max(sizes[4:]) == max(sizes[4:8])


def test_what_stands_still_takes_next_to_no_memory_and_the_rest_less_than_four_bytes_a_value() -> None:
    draw = random.Random(1)
    still, moving = Blocks(600), Blocks(600)
    for number in range(600):
        still.append(number, {Series("m", "", part): 5.0 for part in range(20)})
        moving.append(number, {Series("m", "", part): draw.uniform(0.2, 0.3) for part in range(20)})
    values = 600 * 20
    assert still.size < 0.1 * values
    assert moving.size < 4 * values


def test_only_the_series_that_are_wanted_come_back_with_the_reasons_of_gaps() -> None:
    ring = Ring(2)
    ring.append(Frame(0.0, {A: 1.0, B: 2.0}, {"c": "gone"}))
    (frame,) = ring.frames(lambda series: series == B, 5)
    assert frame == Frame(0.0, {B: 2.0}, {"c": "gone"})
