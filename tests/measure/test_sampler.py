from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.sampler import Sampler, default_period
from kvmnb.measure.series import GUESTS, Event, Frame, Series

ONE = Series("m", "a", 0)


class Counting:
    """A source that counts its readings, each of which may take a while."""

    title_note = "counted"
    absent = "never there"
    period = 0.0

    def __init__(self, takes: float = 0.0) -> None:
        self.takes = takes
        self.read_at: list[float] = []
        self.looked_at: frozenset[str] = frozenset()
        self.rests = 0

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        return (0,)

    def look_at(self, guests: frozenset[str]) -> None:
        self.looked_at = guests

    def wake(self) -> None:
        self.rests -= 1

    def rest(self) -> None:
        self.rests += 1

    def read(self) -> Frame | None:
        self.read_at.append(time.monotonic())
        time.sleep(self.takes)
        return Frame(time.time(), {ONE: float(len(self.read_at))})


def sampler_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "kvmnb-sampler"]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.005)


def test_the_thread_begins_with_the_first_subscriber_and_ends_with_the_last() -> None:
    sampler = Sampler(Counting())
    before = len(sampler_threads())
    got: list[Frame] = []
    one = sampler.subscribe(got.append, period=0.02)
    other = sampler.subscribe(lambda frame: None, period=0.02)
    assert len(sampler_threads()) == before + 1
    until(lambda: len(got) >= 3)
    other.close()
    assert len(sampler_threads()) == before + 1
    one.close()
    assert len(sampler_threads()) == before
    count = len(got)
    time.sleep(0.1)
    assert len(got) == count


def test_a_sampler_can_begin_again_and_then_keeps_nothing_from_before() -> None:
    sampler = Sampler(Counting())
    got: list[Frame] = []
    with sampler.subscribe(got.append, period=0.02):
        until(lambda: len(got) >= 5)
    with sampler.subscribe(got.append, period=0.02):
        assert len(sampler.history(lambda series: True, 99)) < 5
        until(lambda: len(got) >= 8)
    assert sampler.subscribers == 0


def test_close_drops_every_subscriber_and_waits_for_the_thread() -> None:
    sampler = Sampler(Counting())
    before = len(sampler_threads())
    for _ in range(3):
        sampler.subscribe(lambda frame: None, period=0.02)
    sampler.close()
    assert len(sampler_threads()) == before
    assert sampler.subscribers == 0
    sampler.close()


def test_readings_do_not_drift_though_each_takes_a_part_of_the_period() -> None:
    period, source = 0.1, Counting(takes=0.03)
    with Sampler(source).subscribe(lambda frame: None, period=period):
        until(lambda: len(source.read_at) >= 16)
    places = [(at - source.read_at[0]) / period for at in source.read_at]
    off = sorted(abs(place - round(place)) for place in places)
    # With drift each reading would come 0.3 of a period later than the one before; late wake-ups are few.
    assert off[len(off) * 3 // 4] < 0.15
    assert len({round(place) for place in places}) == len(places)


def test_ticks_that_were_missed_are_left_out_and_not_made_up_for() -> None:
    source = Counting(takes=0.12)
    with Sampler(source).subscribe(lambda frame: None, period=0.05):
        until(lambda: len(source.read_at) >= 5)
    steps = [later - earlier for earlier, later in zip(source.read_at, source.read_at[1:], strict=False)]
    assert min(steps) >= 0.12


def test_a_subscriber_that_raises_is_reported_and_hinders_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def fail(frame: Frame) -> None:
        raise ValueError("no such line")

    sampler = Sampler(Counting())
    got: list[Frame] = []
    with sampler.subscribe(fail, name="a bad chart", period=0.02), sampler.subscribe(got.append, period=0.02):
        until(lambda: len(got) >= 4)
        assert sampler.problems == ("a bad chart: ValueError: no such line",)
    # Once, though it failed at every tick.
    assert [record.getMessage() for record in caplog.records] == ["a bad chart, a subscriber of the sampler, failed"]


def test_a_reading_that_fails_is_a_gap_with_its_reason_and_the_thread_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Counting):
        def read(self) -> Frame | None:
            frame = super().read()
            if len(self.read_at) == 2:
                raise RuntimeError("the cable is out")
            return frame

    got: list[Frame] = []
    with Sampler(Failing()).subscribe(got.append, period=0.02):
        until(lambda: len(got) >= 3)
    assert got[1].values == {}
    assert got[1].gaps[GUESTS] == "the series cannot be read: RuntimeError: the cable is out"
    assert got[2].values == {ONE: 3.0}
    assert "a reading of the series failed" in caplog.text


def test_the_shortest_period_that_is_asked_for_holds_for_all_and_at_once() -> None:
    sampler = Sampler(Counting())
    slow: list[Frame] = []
    with sampler.subscribe(slow.append, period=60):
        until(lambda: len(slow) == 1)
        assert sampler.period == 60
        with sampler.subscribe(lambda frame: None, period=0.02):
            assert sampler.period == 0.02
            until(lambda: len(slow) >= 4)


def test_a_callback_may_end_its_own_subscription() -> None:
    before = len(sampler_threads())
    sampler = Sampler(Counting())
    subscription = sampler.subscribe(lambda frame: subscription.close(), period=0.02)
    until(lambda: sampler.subscribers == 0 and len(sampler_threads()) == before)


def test_the_period_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KVMNB_TICK", raising=False)
    assert default_period() == 1.0
    monkeypatch.setenv("KVMNB_TICK", "0.05")
    assert default_period() == 0.05


@pytest.mark.parametrize("wrong", ["fast", "0", "-1", "0.001", "nan", "inf"])
def test_a_period_that_cannot_be_kept_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KVMNB_TICK", wrong)
    with pytest.raises(KvmnbError, match=f"a sampling period of '{wrong}' s cannot be kept: give 0.02 to 3600 s"):
        default_period()


def test_the_source_hears_who_is_looked_at_and_rests_when_nobody_listens_any_more() -> None:
    source = Counting()
    sampler = Sampler(source)
    with sampler.subscribe(lambda frame: None, period=0.02, guest="a"):
        with sampler.subscribe(lambda frame: None, period=60, guest="b"):
            assert source.looked_at == {"a", "b"}
            assert source.rests == -1
        assert source.looked_at == {"a"}
    assert source.looked_at == frozenset()
    assert source.rests == 0


def test_an_event_is_in_the_next_frame_and_in_no_other() -> None:
    sampler = Sampler(Counting())
    got: list[Frame] = []
    happened = Event(1.0, "plan applied", "", "plan 7 applied")
    with sampler.subscribe(got.append, period=0.02):
        until(lambda: len(got) >= 2)
        sampler.mark(happened)
        until(lambda: any(frame.events for frame in got))
        count = len(got)
        until(lambda: len(got) >= count + 2)
    assert [frame.events for frame in got if frame.events] == [(happened,)]
