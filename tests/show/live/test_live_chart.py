from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest

from kvmnb.core.errors import DomainGone, KvmnbError, NotAnswered
from kvmnb.facts.gap import changed
from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import recorded
from kvmnb.measure.live import LiveSource
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Event, Frame, Series
from kvmnb.measure.sources import sampler_of
from kvmnb.probe.survey import probe
from kvmnb.show.live import LiveChart, close_all, live_chart, owner, watched
from kvmnb.show.live.chart import WIDGET_MIME
from kvmnb.show.live.owner import Owner
from kvmnb.show.live.questions import CPU, DISK, GUESTS, NETWORK
from kvmnb.show.live.trace import grouped_frame
from tests.measure.stand_in import BUSY, StandIn

REPO = Path(__file__).resolve().parents[3]
DEMO = REPO / "kvmnb/demo/host"


@pytest.fixture(autouse=True)
def quick_and_clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KVMNB_TICK", "0.02")
    yield
    close_all()
    for _, chart in tuple(owner._live):
        chart.close()
    assert sampler_threads() == []


def sampler_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("kvmnb")]


@pytest.fixture
def machine() -> Machine:
    return recorded(DEMO)


def wait(chart: LiveChart, ticks: int) -> int:
    return asyncio.run(chart.wait(ticks))


def sent_by(chart: LiveChart) -> list[dict[str, Any]]:
    """From now on, what the chart sends to the page is gathered here and not sent."""
    messages: list[dict[str, Any]] = []
    chart._repr_mimebundle_()
    chart._send = messages.append  # type: ignore[method-assign, assignment]
    return messages


def open_view(chart: LiveChart) -> None:
    """What the page sends when a view of the chart has been drawn."""
    assert chart.widget is not None
    chart.widget._handle_custom_msg({"kind": "ready"}, [])


def test_a_chart_gets_ticks_and_counts_them(machine: Machine) -> None:
    chart = live_chart(machine, "db01")
    assert wait(chart, 3) >= 3
    assert chart.n >= 3
    assert list(chart.table().index) == [
        "vCPU 0: runs", "vCPU 1: runs", "host CPUs, mean: busy", "vCPU 0: waits", "vCPU 1: waits",
    ]  # fmt: skip
    # Where the recording starts again there is one moment without values.
    if not chart.table().notna().all().all():
        wait(chart, chart.n + 2)
    assert chart.table().notna().all().all()


def test_only_new_points_are_sent_and_an_opening_view_gets_the_window(machine: Machine) -> None:
    chart = live_chart(machine, "db01")
    wait(chart, 5)
    messages = sent_by(chart)
    wait(chart, chart.n + 3)
    assert messages
    assert all(len(message["rows"]) == 1 and len(message["rows"][0]) == 6 for message in messages)
    chart.stop()
    del messages[:]
    open_view(chart)
    (window,) = messages
    assert len(window["rows"]) == chart.n
    # A chart that stops just where the recording starts again has no value at that moment, and says so.
    here = any(value is not None for value in window["rows"][-1][1:3])
    begins = "Mean over the last " if here else "No values of this guest now: the recording starts again"
    assert window["caption"].startswith(begins)
    times = [row[0] for row in window["rows"]]
    assert times == sorted(times)


def test_the_window_is_bounded(machine: Machine) -> None:
    chart = live_chart(machine, "db01", window=4)
    messages = sent_by(chart)
    wait(chart, 8)
    chart.stop()
    del messages[:]
    open_view(chart)
    assert len(messages[0]["rows"]) == 4
    with pytest.raises(KvmnbError, match="a window of 1 samples cannot be shown"):
        live_chart(machine, "db01", window=1)


def test_running_a_cell_again_fifteen_times_leaves_one_chart_and_one_thread(machine: Machine) -> None:
    from ipywidgets.widgets.widget import _instances

    charts = []
    before = len(_instances)
    for _ in range(15):
        chart = live_chart(machine, "db01")
        chart._repr_mimebundle_()
        charts.append(chart)
    wait(chart, 2)
    assert len(sampler_threads()) == 1
    assert sampler_of(machine).subscribers == 1
    assert [one for one in charts if one.widget is not None] == [chart]
    assert sum(type(one).__name__ == "ChartWidget" for one in _instances.values()) == 1
    assert len(_instances) <= before + 4
    assert sum(type(one).__name__ == "Runtime" for one in _instances.values()) == 1
    close_all()
    assert sampler_threads() == []


def test_a_chart_made_by_a_rerun_goes_on_where_the_former_one_was(machine: Machine) -> None:
    first = live_chart(machine, "db01")
    wait(first, 5)
    second = live_chart(machine, "db01")
    assert len(second._rows) >= 5
    before = first.n
    wait(second, 3)
    assert first.n <= before + 1


def test_two_charts_of_one_cell_stay_and_a_rerun_of_the_cell_takes_both_away(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = [Owner("cell:1", "run 1")]
    monkeypatch.setattr(owner, "_cell", lambda: cell[0])
    first = [live_chart(machine, name) for name in ("db01", "web01")]
    assert sampler_of(machine).subscribers == 2
    cell[0] = Owner("cell:2", "run 2")
    live_chart(machine, "db01")
    assert sampler_of(machine).subscribers == 3
    cell[0] = Owner("cell:1", "run 3")
    live_chart(machine, "mail01")
    assert sampler_of(machine).subscribers == 2
    assert all(not chart._running for chart in first)


def test_close_all_leaves_what_is_shown_and_says_that_it_stopped(machine: Machine) -> None:
    chart = live_chart(machine, "db01")
    messages = sent_by(chart)
    wait(chart, 3)
    close_all()
    assert sampler_threads() == []
    assert "Stopped at " in messages[-1]["caption"]
    assert chart.widget is not None
    del messages[:]
    open_view(chart)
    assert len(messages[0]["rows"]) == chart.n
    assert wait(chart, 1000) == chart.n


def test_what_stands_beside_the_view_is_the_same_on_every_run(machine: Machine) -> None:
    bundles = []
    for _ in range(2):
        chart = live_chart(machine, "db01")
        wait(chart, 2)
        bundle = chart._repr_mimebundle_()
        assert bundle.pop(WIDGET_MIME)["model_id"]
        bundles.append(bundle)
        chart.close()
    assert bundles[0] == bundles[1]
    assert bundles[0]["text/plain"] == (
        "Live chart of guest db01 (recorded on a 2-CPU test machine under TCG, 2 vCPUs per guest, replayed): "
        "Do this guest's vCPUs run, or wait for a CPU?"
    )
    assert "<th scope='row'>vCPU 0: waits</th>" in bundles[0]["text/html"]


def test_a_guests_name_is_escaped_where_it_becomes_html() -> None:
    sampler = Sampler(LiveSource(Files(Path("/"))))
    chart = LiveChart("<script>alert(1)</script>", CPU, "a", sampler, parts=[0])
    shown = chart._repr_mimebundle_()["text/html"]
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<table" not in shown
    chart.close()
    gap = LiveChart("<b>", CPU, "a", None, gap="no series of <b>")
    assert gap._repr_mimebundle_() == {"text/plain": "no series of <b>", "text/html": "<p>no series of &lt;b&gt;</p>"}


def test_the_page_builds_no_html_from_names() -> None:
    code = (REPO / "kvmnb/show/live/page/chart.js").read_text()
    assert code.count("innerHTML") == 1 and "el.innerHTML = FRAME;" in code
    assert "${" not in code.split("FRAME = `")[1].split("`")[0]


def test_a_real_thread_is_drawn_from_proc_and_its_end_is_a_gap_that_says_why() -> None:
    with StandIn(BUSY) as guest:
        sampler = Sampler(LiveSource(Files(Path("/"))))
        chart = LiveChart(guest.name, CPU, guest.uuid, sampler, parts=[0])
        wait(chart, 10)
        ran, _, waited = chart.table()["mean %"]
        assert ran + waited > 50
        guest.end()
        wait(chart, chart.n + 5)
        chart.stop()
    assert chart.caption.startswith("No values of this guest now: no QEMU of this guest is seen in /proc")
    ran, busy, waited = chart.table()["last %"]
    assert (ran != ran, waited != waited, busy == busy) == (True, True, True)


def test_where_there_are_no_series_a_sentence_stands_in_the_charts_place(machine: Machine, tmp_path: Path) -> None:
    quiet = Machine("recorded", "a quiet host", str(tmp_path), machine.hypervisor, ReadOnlyFiles(tmp_path))
    chart = live_chart(quiet, "db01")
    bundle = chart._repr_mimebundle_()
    assert WIDGET_MIME not in bundle
    assert bundle["text/plain"].startswith("There are no series of a quiet host")
    assert wait(chart, 3) == 0
    off = live_chart(machine, "dwh01")
    assert off.gap == "There are no series of guest dwh01: the recorded series do not hold this guest."
    assert sampler_threads() == []


def test_a_domain_that_does_not_exist_is_told_with_those_that_do(machine: Machine) -> None:
    with pytest.raises(DomainGone, match=r"no domain is named 'nobody' on .*; the domains are 'build01', 'cache01'"):
        live_chart(machine, "nobody")


def test_facts_of_a_domain_do_as_well_as_its_name(machine: Machine) -> None:
    chart = live_chart(machine, probe(machine).domain("web01"))
    assert chart.name == "web01"
    assert wait(chart, 1) >= 1


class Silent:
    title_note = "silent"
    absent = "silent"
    period = 0.0

    def vcpus(self, guest: str) -> tuple[int, ...] | None:
        return (0,)

    def look_at(self, guests: frozenset[str]) -> None:
        pass

    def wake(self) -> None:
        pass

    def rest(self) -> None:
        pass

    def read(self) -> Frame | None:
        return None


def test_waiting_for_ticks_that_do_not_come_ends() -> None:
    chart = LiveChart("a", CPU, "a", Sampler(Silent()), parts=[0])
    with pytest.raises(TimeoutError, match=r"the chart of a got 0 of 3 ticks in 0\.1 s"):
        asyncio.run(chart.wait(3, timeout=0.1))


def test_freezing_keeps_the_window_in_the_widgets_state(machine: Machine) -> None:
    chart = live_chart(machine, "db01")
    sent_by(chart)
    assert chart.widget is not None
    wait(chart, 3)
    assert chart.widget.frozen is None
    chart.stop()
    chart.freeze()
    frozen: Any = chart.widget.frozen
    assert len(frozen["rows"]) == chart.n


def test_gaps_cross_the_wire_as_null(machine: Machine) -> None:
    chart = LiveChart("a", CPU, "a", None, parts=[0], gap="none")
    frame = Frame(12.34567, {Series("kvm_vcpu_run_seconds_total", "a", 0): 0.987654}, period=1.0)
    assert chart._row(frame, grouped_frame(frame)) == (12.346, 98.77, None, None)


def test_importing_live_charts_loads_no_widget_library() -> None:
    code = (
        "import sys, kvmnb.show.live; "
        "print([n for n in ('plotly', 'anywidget', 'ipywidgets', 'pandas', 'numpy', 'libvirt') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPO, text=True, stdout=subprocess.PIPE, check=True)
    assert run.stdout == "[]\n"


def frame_of(at: float, values: dict[Series, float], **more: Any) -> Frame:
    return Frame(at, values, period=1.0, **more)


READS = Series("kvm_disk_reads_total", "a", "vda")


def test_a_series_that_is_not_due_is_no_gap_and_one_that_is_late_is_one_with_its_reason() -> None:
    chart = LiveChart("a", DISK, "a", Sampler(Silent()))
    messages = sent_by(chart)
    other = {Series("host_cpu_busy_seconds_total", "", 0): 0.5}
    reads = {**other, READS: 12.0}
    chart._take(frame_of(1.0, reads, periods={READS: 1.6}))
    assert messages[-1]["lines"][0]["label"] == "vda reads"
    for at in (2.0, 3.0, 4.0, 5.0, 6.0, 7.0):
        why = {"libvirt:a": "no answer within 3 s"} if at > 6 else {}
        chart._take(frame_of(at, other, gaps=why))
    assert [row[1] for row in chart._rows] == [12.0, False, False, False, False, None, None]
    assert messages[-1]["gaps"] == [
        [6.0, 7.0, "no disk of it is counted: libvirt did not answer, or it has none"],
        [7.0, None, "no answer within 3 s"],
    ]
    chart._take(frame_of(8.0, reads))
    assert messages[-1]["gaps"][-1] == [7.0, 8.0, "no answer within 3 s"]
    assert chart.table().iloc[0].tolist() == [12.0, 12.0, "requests/s"]
    chart.close()


def test_a_running_guest_without_the_device_is_no_empty_chart(machine: Machine) -> None:
    domain = next(one for one in probe(machine).domains if one.name == "mail01")
    assert domain.live is not None
    watched._check_devices(NETWORK, domain)
    bare = changed(domain, live=changed(domain.live, devices=changed(domain.live.devices, interfaces=())))
    with pytest.raises(NotAnswered, match=r"Guest mail01 has no interface, .* \(devices/interface\)"):
        watched._check_devices(NETWORK, bare)
    watched._check_devices(DISK, bare)


def test_events_of_the_guest_and_of_the_host_are_marked_and_those_of_others_not(machine: Machine) -> None:
    chart = live_chart(machine, "db01")
    messages = sent_by(chart)
    mine = Event(5.0, "guest started", chart._guest, "db01 started")
    plan = Event(6.0, "plan applied", "", "plan 7 applied")
    for event in (mine, plan, Event(7.0, "guest stopped", "other", "web01 stopped")):
        sampler_of(machine).mark(event)
    wait(chart, chart.n + 2)
    marked = [message["events"] for message in messages if message.get("events")]
    assert marked[-1] == [[5.0, "db01 started"], [6.0, "plan 7 applied"]]


def test_what_the_recording_does_not_hold_is_said_in_the_charts_place(machine: Machine) -> None:
    assert live_chart(machine, None, "host.disk").gap == (
        "There are no series of the host: the recording holds nothing of what 'host.disk' is drawn from."
    )
    assert sampler_threads() == []


def test_all_guests_are_drawn_in_one_chart_and_any_metric_by_its_name(machine: Machine) -> None:
    chart = live_chart(machine, None, "guests")
    wait(chart, 2)
    subjects = {trace.subject for trace in chart._traces}
    assert subjects == {"build01", "cache01", "db01", "mail01", "router01", "web01", "win10"}
    named = live_chart(machine, "db01", "kvm_vcpu_run_delay_seconds_total")
    assert [trace.name for trace in named._traces] == ["vCPU 0", "vCPU 1"]
    assert named.question.text.startswith(
        "How does kvm_vcpu_run_delay_seconds_total go? Time a vCPU's thread was ready"
    )


def test_a_question_that_nobody_knows_or_that_is_not_of_a_guest_is_refused_in_a_sentence(machine: Machine) -> None:
    with pytest.raises(KvmnbError, match=r"no live chart of 'disc', did you mean disk.*There are charts of cpu, disk"):
        live_chart(machine, "db01", "disc")
    with pytest.raises(KvmnbError, match=r"'host\.cpu' is of no single guest; leave the guest out"):
        live_chart(machine, "db01", "host.cpu")


def test_a_chart_is_saved_as_numbers_and_as_a_page_and_says_what_else_there_is(
    machine: Machine, tmp_path: Path
) -> None:
    chart = live_chart(machine, "db01")
    wait(chart, 3)
    chart.stop()
    numbers = chart.save(tmp_path / "db01.csv").read_text().splitlines()
    assert numbers[0] == (
        'time,vCPU 0: runs [%],vCPU 1: runs [%],"host CPUs, mean: busy [%]",vCPU 0: waits [%],vCPU 1: waits [%]'
    )
    assert len(numbers) == 1 + len(chart._rows)
    page = chart.save(str(tmp_path / "db01.html")).read_text()
    assert page.startswith("<!doctype html>")
    assert "src=" not in page.split("<main>")[0] and "https://" not in page.split("const values")[1]
    frame = pandas.read_parquet(chart.save(tmp_path / "db01.parquet"))
    assert frame["vCPU 0: runs [%]"].tolist() == [row[1] for row in chart._rows]
    for name, words in (("a.png", "take PNG in the chart's own Save menu"), ("a.txt", "must end with .csv, .parquet")):
        with pytest.raises(KvmnbError, match=words):
            chart.save(tmp_path / name)
    with pytest.raises(KvmnbError, match="No such file or directory"):
        chart.save(tmp_path / "nowhere/a.csv")


def test_a_name_that_a_spreadsheet_would_run_is_text_in_a_saved_file_and_no_path(tmp_path: Path) -> None:
    sampler = Sampler(Silent())
    chart = LiveChart("../=x", GUESTS, "", sampler, parts=["a"], names={"a": "=HYPERLINK(1)</script>"})
    assert chart.save(tmp_path / "a.csv").read_text().startswith("time,'=HYPERLINK(1)</script>: runs [%],")
    assert "HYPERLINK(1)</script>" not in chart.save(tmp_path / "a.html").read_text()
    assert chart._spec()["file"] == "x-guests"
