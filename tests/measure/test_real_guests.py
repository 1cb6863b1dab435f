"""Real guests with known work: what the sampler reads, beside what a second tool says."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kvmnb.machine.files import Files
from kvmnb.machine.statistics import Statistics
from kvmnb.measure import rounds as rounds_module
from kvmnb.measure.live import LiveSource
from kvmnb.measure.metrics.guest_disk import DISK_READS
from kvmnb.measure.metrics.guest_nic import NIC_RECEIVED
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.rounds import Rounds
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import LIBVIRT, Frame, Series, by_libvirt
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml
from tests.lab.guest import Guest

# They compare rates with a second tool, which needs a machine that does nothing else: `make soak`.
pytestmark = [pytest.mark.lab, pytest.mark.soak, pytest.mark.usefixtures("lab")]


@contextmanager
def watched(lab: Lab, guest: Guest | None = None) -> Iterator[list[Frame]]:
    """What a sampler of this host and of the lab's libvirt reads meanwhile, guest looked at."""
    frames: list[Frame] = []
    rounds = Rounds(lambda: Statistics(lab.uri, keepalive=False), away=False)
    sampler = Sampler(LiveSource(Files(Path("/")), rounds))
    with sampler.subscribe(frames.append, name="the test", period=0.5, guest=guest.uuid if guest else None):
        yield frames


def wait_for(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)


def values(frames: list[Frame], series: Series) -> list[float]:
    return [frame.values[series] for frame in frames if series in frame.values]


def test_a_busy_vcpu_runs_or_waits_all_the_time_as_proc_says(lab: Lab, guest: Callable[..., Guest]) -> None:
    busy = guest(busy=1)
    path = Path(f"/proc/{busy.pid}/task/{busy.vcpu_threads[0]}/schedstat")
    times: list[tuple[float, int]] = []
    with watched(lab) as frames:
        wait_for(lambda: len(frames) >= 1)
        start = len(frames)
        times.append((time.monotonic(), int(path.read_text().split()[0])))
        wait_for(lambda: len(frames) >= start + 8)
        times.append((time.monotonic(), int(path.read_text().split()[0])))
    run, delay = (values(frames[start:], Series(metric.name, busy.uuid, 0)) for metric in (VCPU_RUN, VCPU_RUN_DELAY))
    assert sum(run) / len(run) + sum(delay) / len(delay) == pytest.approx(1, abs=0.02)
    (begun, before), (ended, after) = times
    # Both windows are some seconds long, and off by less than a tick of the sampler at each end.
    assert sum(run) / len(run) == pytest.approx((after - before) / 1e9 / (ended - begun), abs=0.1)


def test_a_disk_that_is_held_to_500_requests_a_second_reads_so(lab: Lab, guest: Callable[..., Guest]) -> None:
    tune = "<iotune><total_iops_sec>500</total_iops_sec></iotune>"
    disk = disk_xml(lab.disk(f"slow-{time.monotonic_ns()}", 64)).replace("</disk>", f"{tune}</disk>")
    reader = guest(devices=(disk,))
    reader.run("(while :; do dd if=/dev/vda of=/dev/null bs=4k iflag=direct; done >/dev/null 2>&1 &)")
    series = Series(DISK_READS.name, reader.uuid, "vda")
    with watched(lab, reader) as frames:
        wait_for(lambda: len(values(frames, series)) >= 6)
    found = values(frames, series)[1:]
    assert sum(found) / len(found) == pytest.approx(500, rel=0.05)
    assert all(0.5 < frame.period_of(series) < 3 for frame in frames if series in frame.values)


def test_packets_to_a_guest_are_counted_as_ip_counts_them_at_its_tap(lab: Lab, guest: Callable[..., Guest]) -> None:
    tap = f"kvmnb{lab.tag[:8]}"
    card = f"<interface type='ethernet'><target dev='{tap}'/><model type='virtio'/></interface>"
    there = guest(devices=(card,))
    there.run("ip link set eth0 up")
    subprocess.run(["ip", "link", "set", tap, "up"], check=True)
    # To everybody, of a type that is kept for experiments: no address is needed, and none is set.
    packet = b"\xff" * 6 + bytes(6) + b"\x88\xb5" + b"x" * 64

    def sent() -> int:
        told = json.loads(subprocess.run(["ip", "-s", "-j", "link", "show", tap], check=True, stdout=-1).stdout)
        return int(told[0]["stats64"]["tx"]["packets"])

    series = Series(NIC_RECEIVED.name, there.uuid, tap)
    with watched(lab) as frames, socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((tap, 0))
        wait_for(lambda: bool(values(frames, series)))
        before, start = sent(), len(frames)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            out.send(packet)
            time.sleep(0.001)
        wait_for(lambda: values(frames[start:], series)[-1:] == [0.0])
        after = sent()
    gaps = zip(frames[start - 1 :], frames[start:], strict=False)
    counted = sum(frame.values.get(series, 0.0) * (frame.at - former.at) for former, frame in gaps)
    assert after - before > 300
    assert counted == pytest.approx(after - before, rel=0.05)


def test_two_busy_guests_on_one_cpu_wait_for_each_other(lab: Lab, guest: Callable[..., Guest]) -> None:
    cpu = max(os.sched_getaffinity(0))
    pinned = (f"<cputune><vcpupin vcpu='0' cpuset='{cpu}'/></cputune>",)
    pair = [guest(busy=1, domain=pinned) for _ in range(2)]
    with watched(lab) as frames:
        wait_for(lambda: len(frames) >= 9)
    run, delay = (
        sum(sum(found) / len(found) for found in (values(frames, Series(metric.name, one.uuid, 0)) for one in pair))
        for metric in (VCPU_RUN, VCPU_RUN_DELAY)
    )
    # Alone on the CPU they run 1 and wait 1; what else runs there makes them wait longer.
    assert run + delay == pytest.approx(2, abs=0.1)
    assert delay >= 0.95


def test_a_qemu_that_is_stopped_leaves_a_gap_that_says_why_and_stalls_no_other(
    lab: Lab, guest: Callable[..., Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "SLOW", 1.0)
    monkeypatch.setattr(rounds_module, "DEADLINE_SECONDS", 1.0)
    disks = [disk_xml(lab.disk(f"stopped{number}-{time.monotonic_ns()}")) for number in range(2)]
    stays, stopped = (guest(devices=(disk,)) for disk in disks)
    of_stays, of_stopped = (Series(DISK_READS.name, one.uuid, "vda") for one in (stays, stopped))
    with watched(lab, stays) as frames:
        wait_for(lambda: bool(values(frames, of_stays)) and bool(values(frames, of_stopped)))
        os.kill(stopped.pid, signal.SIGSTOP)
        try:
            wait_for(lambda: by_libvirt(stopped.uuid) in frames[-1].gaps)
            begun, start = time.monotonic(), len(frames)
            time.sleep(4)
            during, seconds = frames[start:], time.monotonic() - begun
        finally:
            os.kill(stopped.pid, signal.SIGCONT)
        wait_for(lambda: of_stopped in frames[-1].values)
    assert len(during) >= seconds / 0.5 * 0.8
    assert len(values(during, Series(VCPU_RUN.name, stays.uuid, 0))) == len(during)
    assert len(values(during, of_stays)) >= 2
    assert {frame.why_missing(stopped.uuid) for frame in during} == {
        "its QEMU is stopped by a signal (SIGSTOP), so it neither runs nor answers"
    }
    assert all("does not answer its monitor" in frame.gaps[by_libvirt(stopped.uuid)] for frame in during)
    assert values(during, of_stopped) == []


def test_a_daemon_that_ends_leaves_a_gap_that_says_so_and_the_series_go_on_when_it_is_back(
    lab: Lab, guest: Callable[..., Guest]
) -> None:
    one = guest(devices=(disk_xml(lab.disk(f"daemon-{time.monotonic_ns()}")),))
    series = Series(DISK_READS.name, one.uuid, "vda")
    with watched(lab, one) as frames:
        wait_for(lambda: bool(values(frames, series)))
        lab.restart()
        wait_for(lambda: any(LIBVIRT in frame.gaps for frame in frames))
        lost = next(place for place, frame in enumerate(frames) if LIBVIRT in frame.gaps)
        wait_for(lambda: bool(values(frames[lost:], series)))
    one.reconnect()
    assert re.search("libvirt", frames[lost].gaps[LIBVIRT])
    run = Series(VCPU_RUN.name, one.uuid, 0)
    assert all(run in frame.values for frame in frames)
