from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.measure.collect.host_cpus import HostCpus
from kvmnb.measure.live import LiveSource
from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.series import HOST, Series
from tests.measure.stand_in import BUSY, StandIn


def test_busy_leaves_out_idle_iowait_and_steal_and_counts_guest_time_once(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    # user nice system idle iowait irq softirq steal guest guest_nice
    (tmp_path / "proc/stat").write_text(
        "cpu  999 9 9 9 9 9 9 9 9 9\ncpu0 100 20 30 4000 500 6 7 800 90 10\ncpu3 1 0 0 0 0 0 0 0 0 0\nintr 5 0\n"
    )
    read = HostCpus(ReadOnlyFiles(tmp_path)).collect()
    counts = {one.series: one.value for one in read if one.series.metric == HOST_CPU_BUSY.name}
    assert counts == {
        Series(HOST_CPU_BUSY.name, "", 0): pytest.approx((100 + 20 + 30 + 6 + 7) / 100),
        Series(HOST_CPU_BUSY.name, "", 3): pytest.approx(0.01),
    }


def test_the_busy_share_is_what_psutil_sees() -> None:
    source = LiveSource(Files(Path("/")))
    with StandIn(BUSY):
        source.read()
        before, began = psutil.cpu_times(percpu=True), time.monotonic()
        time.sleep(1)
        frame = source.read()
        after, seconds = psutil.cpu_times(percpu=True), time.monotonic() - began
    assert frame is not None
    ours = [rate for series, rate in frame.values.items() if series.metric == HOST_CPU_BUSY.name]
    names = ("user", "nice", "system", "irq", "softirq")
    theirs = [
        sum(getattr(new, name) - getattr(old, name) for name in names) / seconds
        for old, new in zip(before, after, strict=True)
    ]
    assert len(ours) == len(theirs)
    assert sum(ours) == pytest.approx(sum(theirs), abs=0.1)
    assert sum(ours) > 0.3


def test_an_unreadable_file_is_a_gap_of_the_host_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    source = LiveSource(ReadOnlyFiles(tmp_path))
    source.read()
    frame = source.read()
    assert frame is not None
    assert frame.values == {}
    assert frame.gaps[HOST].startswith("the host cannot be read: ")
    assert "No such file" in frame.gaps[HOST]
