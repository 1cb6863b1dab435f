from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.measure.collect import census
from kvmnb.measure.collect.census import Census
from kvmnb.measure.collect.threads import ThreadClocks, thread_times
from kvmnb.measure.live import LiveSource
from kvmnb.measure.metrics.thread import THREAD_LAST_CPU, THREAD_RUN, THREAD_RUN_DELAY, THREAD_TURNS
from kvmnb.measure.metrics.vcpu import VCPU_LAST_CPU, VCPU_RUN, VCPU_RUN_DELAY, VCPU_TURNS
from kvmnb.measure.series import Frame, Series
from tests.lab.guest import Guest
from tests.measure.stand_in import BUSY, IDLE, StandIn

ROOT = Files(Path("/"))
# A wait is counted when it ends, so on a crowded machine a window is off by one wait at each end.
WINDOW_SECONDS = 1.5


def rates_of(source: LiveSource, seconds: float = WINDOW_SECONDS) -> Frame:
    source.read()
    time.sleep(seconds)
    frame = source.read()
    assert frame is not None
    return frame


def run(frame: Frame, guest: str, vcpu: int = 0) -> float:
    return frame.values[Series(VCPU_RUN.name, guest, vcpu)]


def delay(frame: Frame, guest: str, vcpu: int = 0) -> float:
    return frame.values[Series(VCPU_RUN_DELAY.name, guest, vcpu)]


def cpu_seconds(process: int, name: str) -> float:
    """What psutil says of the thread of this name: its user and system time."""
    for one in psutil.Process(process).threads():
        if Path(f"/proc/{process}/task/{one.id}/comm").read_text().strip() == name:
            return one.user_time + one.system_time
    raise AssertionError(name)


def test_a_busy_vcpu_runs_or_waits_all_the_time_and_an_idle_one_does_neither() -> None:
    with StandIn(BUSY, IDLE) as guest:
        frame = rates_of(LiveSource(ROOT))
    # On a machine with a CPU to spare the first part is 1 and the second 0; others may take some of it.
    assert run(frame, guest.uuid, 0) + delay(frame, guest.uuid, 0) == pytest.approx(1, abs=0.1)
    assert run(frame, guest.uuid, 1) + delay(frame, guest.uuid, 1) == pytest.approx(0, abs=0.05)


def test_the_run_time_of_a_busy_vcpu_is_what_psutil_sees() -> None:
    with StandIn(BUSY) as guest:
        source = LiveSource(ROOT)
        source.read()
        began, before = time.monotonic(), cpu_seconds(guest.pid, "CPU 0/TCG")
        time.sleep(WINDOW_SECONDS)
        frame = source.read()
        spent = (cpu_seconds(guest.pid, "CPU 0/TCG") - before) / (time.monotonic() - began)
    assert frame is not None
    # psutil counts in steps of 10 ms.
    assert run(frame, guest.uuid) == pytest.approx(spent, abs=0.05)
    assert spent > 0.1


def test_a_pair_pinned_on_one_cpu_shows_a_run_delay_near_one_second_per_second() -> None:
    cpu = max(os.sched_getaffinity(0))
    with StandIn(BUSY, cpus={cpu}) as one, StandIn(BUSY, cpus={cpu}) as other:
        frame = rates_of(LiveSource(ROOT))
    runs = run(frame, one.uuid) + run(frame, other.uuid)
    delays = delay(frame, one.uuid) + delay(frame, other.uuid)
    # Two threads are always ready: what they do not run they wait. Alone on the CPU they run 1 and wait 1.
    assert runs + delays == pytest.approx(2, abs=0.2)
    assert runs <= 1.1
    assert delays >= 0.9


def test_the_times_of_any_process_can_be_read() -> None:
    before = thread_times(ROOT, f"proc/{os.getpid()}/task/{os.getpid()}")
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        pass
    after = thread_times(ROOT, f"proc/{os.getpid()}/task/{os.getpid()}")
    assert after.run_ns > before.run_ns
    assert after.run_delay_ns >= before.run_delay_ns


def test_a_guest_that_ends_leaves_a_gap_with_a_reason_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(census, "RESCAN_SECONDS", 3600.0)
    with StandIn(BUSY) as stays, StandIn(BUSY) as ends:
        source = LiveSource(ROOT)
        both = rates_of(source, 0.1)
        assert {stays.uuid, ends.uuid} <= {series.guest for series in both.values}
        ends.end()
        frame = source.read()
        assert frame is not None
        assert frame.why_missing(ends.uuid) == "a thread of this guest has ended"
        assert stays.uuid in {series.guest for series in frame.values}
        after = source.read()
        assert after is not None
        assert after.why_missing(ends.uuid) is None
        assert ends.uuid not in {series.guest for series in after.values}


def test_a_guest_that_starts_later_is_seen_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "RESCAN_SECONDS", 0.0)
    source = LiveSource(ROOT)
    source.read()
    with StandIn(BUSY) as guest:
        first, second = source.read(), source.read()
    assert first is not None
    assert second is not None
    run = Series(VCPU_RUN.name, guest.uuid, 0)
    assert (run in first.values, run in second.values) == (False, True)
    assert [(one.kind, one.guest) for one in first.events] == [("guest started", guest.uuid)]


def test_a_qemu_without_named_threads_says_so() -> None:
    with StandIn() as guest:
        reader = ThreadClocks(ROOT, Census(ROOT))
        own = [one.series for one in reader.collect() if one.series.guest == guest.uuid]
    assert {series.part for series in own} == {"emulator"}
    assert reader.gaps[guest.uuid] == "its QEMU does not name its vCPU threads (debug-threads=on is missing)"


def test_a_kernel_without_these_times_is_a_gap_of_this_guest_and_no_crash(tmp_path: Path) -> None:
    uuid = "8dd0a7f2-3dc5-4f0d-8b0c-7d3f4ad0b7aa"
    process = tmp_path / "proc/77"
    for tid, comm in (("77", "qemu-system-x86"), ("78", "CPU 0/KVM")):
        task = process / "task" / tid
        task.mkdir(parents=True)
        (task / "comm").write_text(comm)
        (task / "status").write_text("Cpus_allowed_list:\t0\n")
        (task / "schedstat").write_text("\n")
    (process / "comm").write_text("qemu-system-x86")
    (process / "cmdline").write_bytes(f"qemu\0-name\0guest=a,debug-threads=on\0-uuid\0{uuid}\0".encode())
    (process / "stat").write_text("77 (qemu) S " + " ".join("0" for _ in range(40)))
    files = ReadOnlyFiles(tmp_path)
    reader = ThreadClocks(files, Census(files))
    assert list(reader.collect()) == []
    assert "schedstat holds 0 numbers" in reader.gaps[uuid]
    for tid, times in (("77", "5000000000 0 7\n"), ("78", "3000000000 1500000000 9\n")):
        (process / "task" / tid / "schedstat").write_text(times)
        (process / "task" / tid / "stat").write_text(f"{tid} (a ) b) S " + " ".join(map(str, range(4, 53))))
    found = {(one.series.metric, one.series.part): one.value for one in reader.collect()}
    assert found == {
        (VCPU_RUN.name, 0): 3.0,
        (VCPU_RUN_DELAY.name, 0): 1.5,
        (VCPU_TURNS.name, 0): 9,
        (VCPU_LAST_CPU.name, 0): 39,
        (THREAD_RUN.name, "emulator"): 5.0,
        (THREAD_RUN_DELAY.name, "emulator"): 0.0,
        (THREAD_TURNS.name, "emulator"): 7,
        (THREAD_LAST_CPU.name, "emulator"): 39,
    }


@pytest.mark.lab
def test_a_busy_vcpu_of_a_real_guest_is_told_from_its_idle_one(guest: Callable[..., Guest]) -> None:
    real = guest(vcpus=2, busy=1)
    frame = rates_of(LiveSource(ROOT))
    both = sorted(run(frame, real.uuid, vcpu) + delay(frame, real.uuid, vcpu) for vcpu in (0, 1))
    # The loop may move from one vCPU to the other, but it fills one of them; beside other work the idle one waits too.
    assert 0.7 < sum(both) < 1.7
