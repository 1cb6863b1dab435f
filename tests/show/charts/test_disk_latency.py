"""The chart of latencies tells how even a disk is, and why where it tells nothing."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.measure.metrics.guest_disk import DISK_FLUSH_SECONDS, DISK_FLUSHES, DISK_WRITE_SECONDS, DISK_WRITES
from kvmnb.measure.series import LIBVIRT, Frame, Series
from kvmnb.show.charts.disk_latency import TITLE, DiskLatency, latency_of
from kvmnb.show.colours import colours

UUID = "00000000-0000-4000-8000-000000000001"


def a_frame(at: int, writes: float, taken: float, flushes: float = 0.0) -> Frame:
    values = {
        Series(DISK_WRITES.name, UUID, "vda"): writes,
        Series(DISK_WRITE_SECONDS.name, UUID, "vda"): taken,
        Series(DISK_FLUSHES.name, UUID, "vda"): flushes,
        Series(DISK_FLUSH_SECONDS.name, UUID, "vda"): flushes / 100,
    }
    return Frame(float(at), values)


def of(frames: list[Frame]) -> DiskLatency:
    return latency_of("db", UUID, ["db", "web"], frames, 10.0, "live")


def test_each_moments_mean_request_is_counted_once() -> None:
    frames = [a_frame(at, 100, 0.1 * (at + 1)) for at in range(19)] + [a_frame(19, 10, 2.0, flushes=4)]
    writes, flushes = of(frames).found
    assert [round(value, 6) for value in (writes.half, writes.most, writes.worst)] == [10.0, 19.0, 200.0]
    assert (writes.row, flushes.row, flushes.moments) == ("vda writes", "vda flushes", 1)
    assert round(flushes.worst, 6) == 10.0


def test_the_figure_asks_has_a_unit_and_the_guests_colour() -> None:
    import plotly.graph_objects

    figure = of([a_frame(1, 10, 0.02)]).figure()
    assert figure["layout"]["title"]["text"] == TITLE
    assert ", ms" in figure["layout"]["xaxis"]["title"]["text"]
    assert {trace["marker"]["color"] for trace in figure["data"][1:]} == {colours(["db", "web"])["db"]}
    assert len(plotly.graph_objects.Figure({"data": figure["data"], "layout": figure["layout"]}).data) == 4


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([], "these series hold nothing of disks (live)"),
        ([Frame(1.0, {}, {LIBVIRT: "libvirt did not answer in time"})], "libvirt did not answer in time"),
        ([a_frame(1, 0, 0)], "they had no request in this time"),
        (
            [Frame(1.0, {Series(DISK_WRITES.name, "another", "vda"): 1.0})],
            "libvirt counts no disk of it, or it does not run",
        ),
    ],
)
def test_where_nothing_was_counted_it_says_why(frames: list[Frame], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    of(frames)._ipython_display_()
    assert [one["text/plain"] for one in outputs] == [f"There is no latency of the disks of guest db to show: {why}."]


def test_the_words_say_what_the_marks_show(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    chart = of([a_frame(1, 10, 0.02)])
    chart._ipython_display_()
    assert outputs[1]["text/plain"] == (
        "Over 10 s, mean request of each moment; vda writes: 2 ms for half of the time, 2 ms at worst."
    )
    assert outputs[1]["text/html"].count("2 ms") == 3
