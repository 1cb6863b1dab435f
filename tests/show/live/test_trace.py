from __future__ import annotations

import pytest

from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.series import Series
from kvmnb.show.live.trace import COLOURS, GREY, MOST_LINES, RUN, WAIT, vcpu_traces

VALUES = {
    Series(VCPU_RUN.name, "a", 0): 0.5,
    Series(VCPU_RUN.name, "a", 1): 0.1,
    Series(VCPU_RUN_DELAY.name, "a", 0): 0.25,
    Series(VCPU_RUN.name, "b", 0): 0.9,
    Series(HOST_CPU_BUSY.name, "", 0): 1.0,
    Series(HOST_CPU_BUSY.name, "", 1): 0.2,
}


def test_each_vcpu_has_a_line_in_both_panels_in_one_colour() -> None:
    traces = vcpu_traces("a", (0, 1))
    assert [(trace.name, trace.panel) for trace in traces] == [
        ("vCPU 0: runs", RUN),
        ("vCPU 1: runs", RUN),
        ("vCPU 0: waits", WAIT),
        ("vCPU 1: waits", WAIT),
        ("host CPUs, mean: busy", RUN),
    ]
    assert traces[0].colour == traces[2].colour != traces[1].colour


def test_values_are_percent_of_one_cpu_of_this_guest_alone_and_gaps_stay_gaps() -> None:
    assert [trace.value(VALUES) for trace in vcpu_traces("a", (0, 1))] == [50.0, 10.0, 25.0, None, pytest.approx(60)]
    assert [trace.value({}) for trace in vcpu_traces("a", (0,))] == [None, None, None]


def test_no_two_lines_of_a_panel_look_alike() -> None:
    top = [trace for trace in vcpu_traces("a", range(MOST_LINES)) if trace.panel == RUN]
    assert len({(trace.colour, trace.dash) for trace in top}) == len(top)


def test_many_vcpus_are_drawn_as_their_highest_and_their_mean() -> None:
    traces = vcpu_traces("a", range(MOST_LINES + 1))
    assert [trace.name for trace in traces] == [
        "highest of 13 vCPUs: runs",
        "mean of 13 vCPUs: runs",
        "highest of 13 vCPUs: waits",
        "mean of 13 vCPUs: waits",
        "host CPUs, mean: busy",
    ]
    assert [trace.value(VALUES) for trace in traces] == [50.0, pytest.approx(30), 25.0, 25.0, pytest.approx(60)]


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("theme", "page"), [(0, "#ffffff"), (1, "#111111")])
def test_every_line_stands_out_from_a_light_and_from_a_dark_page(theme: int, page: str) -> None:
    for pair in (*COLOURS, GREY):
        high, low = sorted((_luminance(pair[theme]), _luminance(page)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3, pair
