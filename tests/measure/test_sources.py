from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kvmnb.core.errors import NotAnswered
from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import demo, recorded
from kvmnb.measure.live import LiveSource
from kvmnb.measure.replay import Replay
from kvmnb.measure.series import Series
from kvmnb.measure.sources import close_samplers, sampler_of, series_source

REPO = Path(__file__).resolve().parents[2]
DEMO = REPO / "kvmnb/demo/host"


@pytest.fixture(autouse=True)
def no_sampler_stays() -> object:
    yield
    close_samplers()
    assert [thread for thread in threading.enumerate() if thread.name == "kvmnb-sampler"] == []


def test_this_host_is_read_live_and_a_remote_one_says_why_it_cannot_be() -> None:
    here = Machine("live", "here", "here", None, Files(Path("/")))
    assert isinstance(series_source(here), LiveSource)
    away = Machine("live", "qemu+ssh://away/system", "away", None, None, "that URI names another host")
    with pytest.raises(NotAnswered) as told:
        series_source(away)
    assert str(told.value) == (
        "There are no live series of qemu+ssh://away/system: they are read from /proc of the host itself, and that "
        "URI names another host. Run kvmnb on that host to see them."
    )


def test_a_recorded_host_without_series_says_so(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    machine = Machine("recorded", "a quiet host", str(tmp_path), None, ReadOnlyFiles(tmp_path))
    with pytest.raises(NotAnswered, match="There are no series of a quiet host: it is a recorded host, and none were"):
        series_source(machine)


def test_series_that_were_recorded_with_a_host_are_found_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    text = (REPO / "kvmnb/demo/series/threads.jsonl").read_text()
    (tmp_path / "series/threads.jsonl").write_text(text)
    machine = Machine("recorded", "a host", str(tmp_path), None, ReadOnlyFiles(tmp_path))
    assert isinstance(series_source(machine), Replay)


def test_the_demo_host_has_series_of_every_guest_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for machine in (demo(), recorded(DEMO)):
        source = series_source(machine)
        assert isinstance(source, Replay)
        assert source.title_note.startswith("recorded on a 2-CPU test machine under TCG")
        assert source.title_note.endswith(", replayed")
        played = {record.name: source.vcpus(record.uuid) for record in machine.libvirt.domains()}
        assert played == {record.name: (0, 1) if record.running else () for record in machine.libvirt.domains()}


def test_the_series_of_the_demo_host_were_measured_on_two_cpus_that_give_no_more_than_they_have() -> None:
    source = series_source(recorded(DEMO))
    assert isinstance(source, Replay)
    assert source.rows >= 30
    for values in source.recorded():
        vcpus = [rate for series, rate in values.items() if series.metric == "kvm_vcpu_run_seconds_total"]
        cpus = [rate for series, rate in values.items() if series.metric == "host_cpu_busy_seconds_total"]
        assert sum(vcpus) <= 2.05
        assert all(0 <= rate <= 1.05 for rate in vcpus + cpus)
        assert {Series("host_cpu_busy_seconds_total", "", cpu) for cpu in (0, 1)} <= set(values)


def test_a_machine_has_one_sampler_as_long_as_somebody_listens(tmp_path: Path) -> None:
    one = Machine("live", "here", "here", None, Files(Path("/")))
    again = Machine("live", "here", "here", None, Files(Path("/")))
    with sampler_of(one).subscribe(lambda frame: None, period=0.05):
        first = sampler_of(one)
        assert sampler_of(again) is first
        assert sampler_of(Machine("root", "tree", "/", None, Files(Path("/")))) is not first
    assert sampler_of(one) is not first
