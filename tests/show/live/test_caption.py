from __future__ import annotations

from collections.abc import Iterable

import pytest

from kvmnb.show.live.caption import apart, means, sentence
from kvmnb.show.live.questions import CPU, DISK
from kvmnb.show.live.trace import Trace, traces_of


def vcpu_traces(guest: str, vcpus: Iterable[int]) -> tuple[Trace, ...]:
    return traces_of(CPU, guest, vcpus)


def test_two_vcpus_are_told_one_by_one() -> None:
    rows = [(98.0, 0.0, 60.0, 0.2, 0.0), (99.0, 0.0, 50.0, 0.4, 0.0)]
    assert sentence(vcpu_traces("a", (0, 1)), rows, 10) == (
        "Mean over the last 10 s: vCPU 0 runs 98 % and waits 0.3 %, vCPU 1 runs 0 % and waits 0 %; "
        "the host's CPUs are 55 % busy."
    )


def test_of_many_vcpus_those_that_matter_are_named() -> None:
    rows = [(10, 20, 30, 40, 50, 60, 1, 9, 3, 4, 5)]
    assert sentence(vcpu_traces("a", range(5)), rows, 3) == (
        "Mean over the last 3 s: of 5 vCPUs, vCPU 4 runs most (50 %) and vCPU 1 waits most (9.0 %); "
        "the host's CPUs are 60 % busy."
    )
    assert sentence(vcpu_traces("a", range(40)), [(90, 20, 50, 30, 4)], 3) == (
        "Mean over the last 3 s: its vCPUs run 20 % and wait 4.0 % in the mean; the busiest runs 90 %, "
        "the longest waiting waits 30 %; the host's CPUs are 50 % busy."
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((None, 55.0, None), "No values of this guest now: it ended; the host's CPUs are 55 % busy."),
        ((None, None, None), "No values of this guest now: it ended; how busy the host's CPUs are is not known."),
    ],
)
def test_a_guest_without_values_says_why(row: tuple[float | None, ...], told: str) -> None:
    assert sentence(vcpu_traces("a", (0,)), [row], 10, "it ended") == told


def test_a_mean_leaves_gaps_out() -> None:
    assert means([(1.0, None), (None, None), (3.0, None)], 2) == [2.0, None]


def test_disks_are_told_one_by_one_each_in_its_units() -> None:
    traces = traces_of(DISK, "a", ["vda"])
    row = (20.0, 1500.0, 0.0, 4_200_000.0, 0.0, 0.25, None, False)
    assert sentence(traces, [row], 4) == (
        "Mean over the last 4 s: vda reads 20 /s, writes 1.5 k/s, flushes 0 /s, reads 4.2 MB/s, writes 0 B/s, "
        "reads 0.25 ms."
    )
    assert sentence(traces, [row], 4, "it ended") == "No values now: it ended."


def test_how_far_values_lie_apart_is_told_once_where_it_is_the_same() -> None:
    assert apart({}) == ""
    assert apart({"a": 1.0, "b": 1.01}) == "Each line has a value every 1 s."
    assert apart({"a": 1.0, "b": 10.0, "c": 1.0}) == "Each line has a value every 1 s, but every 10 s: b."
