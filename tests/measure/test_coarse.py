from __future__ import annotations

from kvmnb.measure.coarse import Coarse, Gathering, Stretch
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame, Series

A, B = Series("m", "a", 0), Series("m", "b", "vda")


def test_a_stretch_holds_the_mean_and_the_highest_value_of_each_series_in_it() -> None:
    gathering = Gathering(10)
    assert gathering.add(1000.0, {A: 1.0}) is None
    assert gathering.add(1004.0, {A: 3.0, B: 5.0}) is None
    assert gathering.add(1009.9, {A: 2.0}) is None
    assert gathering.add(1010.0, {A: 9.0}) == Stretch(1000.0, 10, {A: 2.0, B: 5.0}, {A: 3.0, B: 5.0}, {A: 3, B: 1})


def test_stretches_are_joined_by_how_many_values_they_have() -> None:
    gathering = Gathering(60)
    gathering.add(0.0, {A: 1.0}, {A: 4.0}, {A: 3})
    gathering.add(10.0, {A: 5.0}, {A: 5.0}, {A: 1})
    done = gathering.add(60.0, {})
    assert done is not None
    assert (done.mean, done.highest) == ({A: 2.0}, {A: 5.0})


def test_only_the_newest_stretches_are_kept_and_a_series_of_which_nothing_is_left_takes_no_memory() -> None:
    coarse = Coarse(2)
    for number in range(20):
        gone = Series("m", str(number), 0)
        coarse.append(Stretch(float(number), 10, {A: 1.0, gone: 2.0}, {A: 3.0, gone: 2.0}, {}))
    assert [(one.at, one.mean[A], one.highest[A]) for one in coarse.stretches(lambda series: series == A)] == [
        (18.0, 1.0, 3.0),
        (19.0, 1.0, 3.0),
    ]
    assert len(coarse._columns) == 3


def test_a_sampler_keeps_what_falls_out_of_its_ring_in_ten_and_sixty_seconds() -> None:
    class Clock:
        title_note = absent = "counted"
        period = 1.0

        def __init__(self) -> None:
            self.at = 0.0

        def vcpus(self, guest: str) -> tuple[int, ...] | None:
            return None

        def look_at(self, guests: frozenset[str]) -> None:
            pass

        def wake(self) -> None:
            pass

        def rest(self) -> None:
            pass

        def read(self) -> Frame | None:
            self.at += 1.0
            return Frame(self.at, {A: self.at})

    sampler = Sampler(Clock(), capacity=5)
    # What the sampler's thread does once a second.
    for _ in range(121):
        sampler._tick()
    assert [frame.at for frame in sampler.history(lambda series: True, 99)] == [117, 118, 119, 120, 121]
    tens = sampler.past(lambda series: True, 10)
    assert len(tens) == 12
    assert (tens[1].at, tens[1].mean, tens[1].highest) == (10.0, {A: 14.5}, {A: 19.0})
    (minute,) = sampler.past(lambda series: True, 60)
    assert (minute.at, minute.mean[A], minute.highest[A]) == (0.0, 30.0, 59.0)
