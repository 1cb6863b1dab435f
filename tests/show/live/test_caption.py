from __future__ import annotations

import pytest

from kvmnb.show.live.caption import means, sentence
from kvmnb.show.live.trace import vcpu_traces


def test_two_vcpus_are_told_one_by_one() -> None:
    rows = [(98.0, 0.0, 0.2, 0.0, 60.0), (99.0, 0.0, 0.4, 0.0, 50.0)]
    assert sentence(vcpu_traces("a", (0, 1)), rows, 10) == (
        "Mean over the last 10 s: vCPU 0 runs 98 % and waits 0.3 %, vCPU 1 runs 0 % and waits 0 %; "
        "the host's CPUs are 55 % busy."
    )


def test_of_many_vcpus_those_that_matter_are_named() -> None:
    rows = [(10, 20, 30, 40, 50, 1, 9, 3, 4, 5, 60)]
    assert sentence(vcpu_traces("a", range(5)), rows, 3) == (
        "Mean over the last 3 s: of 5 vCPUs, vCPU 4 runs most (50 %) and vCPU 1 waits most (9.0 %); "
        "the host's CPUs are 60 % busy."
    )
    assert sentence(vcpu_traces("a", range(40)), [(90, 20, 30, 4, 50)], 3) == (
        "Mean over the last 3 s: its vCPUs run 20 % and wait 4.0 % in the mean; the busiest runs 90 %, "
        "the longest waiting waits 30 %; the host's CPUs are 50 % busy."
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((None, None, 55.0), "No values of this guest now: it ended; the host's CPUs are 55 % busy."),
        ((None, None, None), "No values of this guest now: it ended; how busy the host's CPUs are is not known."),
    ],
)
def test_a_guest_without_values_says_why(row: tuple[float | None, ...], told: str) -> None:
    assert sentence(vcpu_traces("a", (0,)), [row], 10, "it ended") == told


def test_a_mean_leaves_gaps_out() -> None:
    assert means([(1.0, None), (None, None), (3.0, None)], 2) == [2.0, None]
