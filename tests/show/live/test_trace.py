from __future__ import annotations

from collections.abc import Iterable

import pytest

from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.series import Series
from kvmnb.show.colours import colours
from kvmnb.show.live.questions import CPU, DISK, GUESTS, HOST_DISK, HOST_PRESSURE, MEMORY
from kvmnb.show.live.trace import COLOURS, GREY, MOST_LINES, Trace, grouped, parts_of, traces_of

RUN, WAIT = 1, 2
VALUES = grouped(
    {
        Series(VCPU_RUN.name, "a", 0): 0.5,
        Series(VCPU_RUN.name, "a", 1): 0.1,
        Series(VCPU_RUN_DELAY.name, "a", 0): 0.25,
        Series(VCPU_RUN.name, "b", 0): 0.9,
        Series(HOST_CPU_BUSY.name, "", 0): 1.0,
        Series(HOST_CPU_BUSY.name, "", 1): 0.2,
    }
)


def vcpu_traces(guest: str, vcpus: Iterable[int]) -> tuple[Trace, ...]:
    return traces_of(CPU, guest, vcpus)


def test_each_vcpu_has_a_line_in_both_panels_in_one_colour() -> None:
    traces = vcpu_traces("a", (0, 1))
    assert [(trace.name, trace.panel) for trace in traces] == [
        ("vCPU 0: runs", RUN),
        ("vCPU 1: runs", RUN),
        ("host CPUs, mean: busy", RUN),
        ("vCPU 0: waits", WAIT),
        ("vCPU 1: waits", WAIT),
    ]
    assert traces[0].colour == traces[3].colour != traces[1].colour
    assert [trace.legend for trace in traces] == [True, True, True, False, False]


def test_values_are_percent_of_one_cpu_of_this_guest_alone_and_gaps_stay_gaps() -> None:
    assert [trace.value(VALUES) for trace in vcpu_traces("a", (0, 1))] == [50.0, 10.0, pytest.approx(60), 25.0, None]
    assert [trace.value(grouped({})) for trace in vcpu_traces("a", (0,))] == [None, None, None]


def test_no_two_lines_of_a_panel_look_alike() -> None:
    top = [trace for trace in vcpu_traces("a", range(MOST_LINES)) if trace.panel == RUN]
    assert len({(trace.colour, trace.dash) for trace in top}) == len(top)


def test_many_vcpus_are_drawn_as_their_highest_and_their_mean() -> None:
    traces = vcpu_traces("a", range(MOST_LINES + 1))
    assert [trace.name for trace in traces] == [
        "highest of 13 vCPUs: runs",
        "mean of 13 vCPUs: runs",
        "host CPUs, mean: busy",
        "highest of 13 vCPUs: waits",
        "mean of 13 vCPUs: waits",
    ]
    assert [trace.value(VALUES) for trace in traces] == [50.0, pytest.approx(30), pytest.approx(60), 25.0, 25.0]


def test_latency_is_the_time_of_requests_by_their_number_and_none_where_there_were_none() -> None:
    values = grouped(
        {
            Series("kvm_disk_reads_total", "a", "vda"): 200.0,
            Series("kvm_disk_read_seconds_total", "a", "vda"): 0.5,
            Series("kvm_disk_writes_total", "a", "vda"): 0.0,
            Series("kvm_disk_write_seconds_total", "a", "vda"): 0.0,
        }
    )
    traces = {(one.panel, one.verb): one for one in traces_of(DISK, "a", parts_of(DISK, "a", values))}
    assert [one.name for one in traces.values()][:3] == ["vda: reads", "vda: writes", "vda: flushes"]
    assert traces[1, "reads"].value(values) == 200
    assert traces[3, "reads"].value(values) == pytest.approx(2.5)
    assert traces[3, "writes"].value(values) is None
    assert traces[3, "writes"].read(values)
    assert not traces[3, "flushes"].read(values)


def test_each_guest_has_its_own_colour_in_the_chart_of_all() -> None:
    traces = traces_of(GUESTS, "", parts_of(GUESTS, "", VALUES), {"a": "db01", "b": "<web>"})
    told = colours(["db01", "<web>"])
    assert [(one.subject, one.panel, one.colour[0]) for one in traces] == [
        ("db01", 1, told["db01"]), ("<web>", 1, told["<web>"]), ("db01", 2, told["db01"]), ("<web>", 2, told["<web>"]),
    ]  # fmt: skip
    assert [one.value(VALUES) for one in traces] == [pytest.approx(60), 90.0, 25.0, None]


def test_more_disks_than_can_be_told_apart_become_one_line_of_each_kind() -> None:
    traces = traces_of(HOST_DISK, "", [f"sd{number}" for number in range(7)])
    assert [one.name for one in traces] == [
        "all 7: reads", "all 7: writes", "highest of 7: reads", "highest of 7: writes", *["highest of 7: busy"],
    ]  # fmt: skip


def test_what_stands_still_and_what_memory_holds_are_said_in_words() -> None:
    assert [one.name for one in traces_of(HOST_PRESSURE, "", ["cpu", "io"])] == ["for cpu", "for io"] * 2
    values = grouped({Series("kvm_guest_resident_bytes", "a", ""): 3 * 1024**3})
    (resident, *_) = traces_of(MEMORY, "a", ())
    assert (resident.name, resident.value(values)) == ("in RAM, ordinary pages", 3)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("theme", "page"), [(0, "#ffffff"), (1, "#111111")])
def test_every_line_stands_out_from_a_light_and_from_a_dark_page(theme: int, page: str) -> None:
    for pair in (*COLOURS, GREY):
        high, low = sorted((_luminance(pair[theme]), _luminance(page)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3, pair
