from __future__ import annotations

from kvmnb.measure.metrics.vcpu import VCPU_RUN
from kvmnb.measure.series import GUESTS, Count, Frame, Rates, Series

ONE = Series(VCPU_RUN.name, "a", 0)
OTHER = Series(VCPU_RUN.name, "b", 0)


def test_a_rate_is_the_counters_difference_over_its_own_time() -> None:
    rates = Rates()
    assert rates.update([Count(ONE, 10.0, 100.0, 1), Count(OTHER, 0.0, 100.0, 2)]) == {}
    assert rates.update([Count(ONE, 11.0, 102.0, 1), Count(OTHER, 1.0, 101.0, 2)]) == {ONE: 0.5, OTHER: 1.0}


def test_a_counter_that_fell_or_is_another_threads_starts_anew() -> None:
    rates = Rates()
    rates.update([Count(ONE, 10.0, 100.0, 1), Count(OTHER, 10.0, 100.0, 2)])
    assert rates.update([Count(ONE, 9.0, 101.0, 1), Count(OTHER, 50.0, 101.0, 3)]) == {}
    assert rates.update([Count(ONE, 9.5, 102.0, 1), Count(OTHER, 51.0, 102.0, 3)]) == {ONE: 0.5, OTHER: 1.0}


def test_a_series_that_was_away_for_a_tick_has_no_rate_over_the_pause() -> None:
    rates = Rates()
    rates.update([Count(ONE, 10.0, 100.0, 1)])
    rates.update([])
    assert rates.update([Count(ONE, 20.0, 102.0, 1)]) == {}


def test_a_guest_misses_values_for_its_own_reason_before_that_of_all_guests() -> None:
    frame = Frame(0.0, {}, {"a": "ended", GUESTS: "not readable"})
    assert (frame.why_missing("a"), frame.why_missing("b")) == ("ended", "not readable")
    assert Frame(0.0, {}).why_missing("a") is None
