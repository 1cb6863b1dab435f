"""Real guests with known work: what is measured, beside what a second tool says over the same window.

Each reading lies between two of the second tool's, so that the bounds hold whatever else the machine does meanwhile.
The soak has the figures that only a machine without other work gives.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from kvmnb.machine.files import Files
from kvmnb.machine.statistics import Statistics
from kvmnb.measure import rounds as rounds_module
from kvmnb.measure.collect.collector import Batch
from kvmnb.measure.live import LiveSource
from kvmnb.measure.metrics.guest_disk import DISK_READS
from kvmnb.measure.metrics.guest_nic import NIC_RECEIVED
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.rounds import Rounds
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import LIBVIRT, Frame, Series, by_libvirt
from tests.lab.daemon import Lab
from tests.lab.guest import Guest
from tests.measure.crew import CPUS, IOPS, Crew, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab")]

HOST = Files(Path("/"))
# What libvirt tells of a vCPU is counted in ticks of 10 ms, of which the kernel may have one under way.
LIBVIRT_TICK = 0.02


class Read(NamedTuple):
    """What a second tool said before and after a reading, and when it was asked."""

    began: float
    before: float
    after: float
    ended: float


def between(first: Read, last: Read, slack: float = 0.0) -> tuple[float, float]:
    """The least and the highest rate that the second tool allows from one reading to the other."""
    least = (last.before - first.after - slack) / (last.ended - first.began)
    return least, (last.after - first.before + slack) / (last.began - first.ended)


def beside(reading: Callable[[], object], *tools: Callable[[], float]) -> tuple[Read, ...]:
    """Make a reading with second tools asked around it, each as near to it as its place in the list says."""
    before = []
    for tool in tools:
        value = tool()
        before.append((time.monotonic(), value))
    reading()
    after = []
    for tool in reversed(tools):
        at = time.monotonic()
        after.append((tool(), at))
    pairs = zip(before, reversed(after), strict=True)
    return tuple(Read(began, value, later, ended) for (began, value), (later, ended) in pairs)


def virsh(lab: Lab, *words: str) -> dict[str, float]:
    """The numbers that virsh prints, by the word before each."""
    told = subprocess.run(["virsh", "-c", lab.uri, *words], check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in re.findall(r"(\S+?)[= ](\d+)$", told, re.MULTILINE)}


@contextmanager
def watched(lab: Lab, guest: Guest | None = None, period: float = 0.5) -> Iterator[list[Frame]]:
    """What a sampler of this host and of the lab's libvirt reads meanwhile, guest looked at."""
    frames: list[Frame] = []
    rounds = Rounds(lambda: Statistics(lab.uri, keepalive=False), away=False)
    sampler = Sampler(LiveSource(HOST, rounds))
    with sampler.subscribe(frames.append, name="the test", period=period, guest=guest.uuid if guest else None):
        yield frames


class Answered(NamedTuple):
    """One value that libvirt's answer gave, and between which moments the answer came."""

    began: float
    ended: float
    rate: float
    period: float


@contextmanager
def answered(lab: Lab, guest: Guest, series: Series) -> Iterator[list[Answered]]:
    """Every value of one of libvirt's series of a guest that is looked at, from a thread that does nothing else."""
    found: list[Answered] = []
    over = threading.Event()
    rounds = Rounds(lambda: Statistics(lab.uri, keepalive=False), away=False)
    rounds.look_at(frozenset({guest.uuid}))

    def follow() -> None:
        before = time.monotonic()
        while not over.wait(0.01):
            batch, at = Batch(), time.monotonic()
            rounds.drain(batch)
            if series in batch.values:
                found.append(Answered(before, time.monotonic(), batch.values[series], batch.periods[series]))
            before = at

    thread = threading.Thread(target=follow)
    rounds.start()
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        rounds.stop()


def values(frames: list[Frame], series: Series) -> list[float]:
    return [frame.values[series] for frame in frames if series in frame.values]


def mean(found: list[float]) -> float:
    return sum(found) / len(found)


def test_a_busy_vcpu_reads_as_proc_and_virsh_say_over_the_same_window(lab: Lab, crew: Crew) -> None:
    busy = crew.members[0]
    busy.busy()
    frames: list[Frame | None] = []
    source = LiveSource(HOST)
    tools = (
        lambda: virsh(lab, "domstats", "--vcpu", busy.guest.name)["vcpu.0.time"] / 1e9,
        lambda: busy.times.run,
        lambda: busy.times.delay,
    )
    first = beside(lambda: frames.append(source.read()), *tools)
    time.sleep(3)
    last = beside(lambda: frames.append(source.read()), *tools)
    assert frames[1] is not None
    run, delay = (frames[1].values[Series(metric.name, busy.guest.uuid, 0)] for metric in (VCPU_RUN, VCPU_RUN_DELAY))
    for rate, tool, slack in ((run, 0, LIBVIRT_TICK), (run, 1, 0.0), (delay, 2, 0.0)):
        least, most = between(first[tool], last[tool], slack)
        assert least <= rate <= most, tools[tool]
        print(f"busy vCPU: {rate:.3f} s/s, the second tool {least:.3f} to {most:.3f}")


def test_a_disk_that_is_held_to_500_requests_a_second_reads_as_virsh_says(lab: Lab, crew: Crew) -> None:
    reader = crew.members[0]
    series = Series(DISK_READS.name, reader.guest.uuid, "vda")
    told: list[Read] = []
    with reader.reads(), answered(lab, reader.guest, series) as found:
        while len(found) < 6 or told[-1].began < found[-1].ended:
            began = time.monotonic()
            requests = virsh(lab, "domblkstat", reader.guest.name, "vda")["rd_req"]
            told.append(Read(began, requests, requests, time.monotonic()))
    found = [one for one in found if one.began - one.period > told[0].ended and one.ended < told[-1].began]
    assert found

    def bounds(early: float, late: float) -> tuple[float, float]:
        """What virsh counted up to a moment between these two."""
        least = max(one.before for one in told if one.ended <= early)
        return least, min(one.before for one in told if one.began >= late)

    for one in found:
        first_least, first_most = bounds(one.began - one.period, one.ended - one.period)
        last_least, last_most = bounds(one.began, one.ended)
        assert last_least - first_most - 0.5 <= one.rate * one.period <= last_most - first_least + 0.5
    seconds = sum(one.period for one in found)
    counted = sum(one.rate * one.period for one in found)
    print(f"throttled disk: {counted / seconds:.1f} requests/s over {seconds:.1f} s")
    assert counted / seconds <= IOPS * 1.05


def test_packets_to_a_guest_are_counted_as_ip_counts_them_at_its_tap(crew: Crew) -> None:
    there = crew.members[0]
    there.guest.run("ip link set eth0 up")
    subprocess.run(["ip", "link", "set", there.tap, "up"], check=True)
    # To everybody, of a type that is kept for experiments: no address is needed, and none is set.
    packet = b"\xff" * 6 + bytes(6) + b"\x88\xb5" + b"x" * 64

    def sent() -> float:
        command = ["ip", "-s", "-j", "link", "show", there.tap]
        return float(json.loads(subprocess.run(command, check=True, stdout=-1).stdout)[0]["stats64"]["tx"]["packets"])

    frames: list[Frame | None] = []
    source = LiveSource(HOST)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((there.tap, 0))
        (first,) = beside(lambda: frames.append(source.read()), sent)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            out.send(packet)
            time.sleep(0.001)
        (last,) = beside(lambda: frames.append(source.read()), sent)
    assert frames[1] is not None
    rate = frames[1].values[Series(NIC_RECEIVED.name, there.guest.uuid, there.tap)]
    least, most = between(first, last)
    print(f"packets: {rate:.1f} a second, ip -s {least:.1f} to {most:.1f}")
    assert least <= rate <= most
    assert last.before - first.after > 100


@pytest.mark.parametrize("seconds", [8.0, pytest.param(30.0, marks=pytest.mark.soak)])
def test_a_qemu_that_is_stopped_leaves_a_gap_that_says_why_and_all_others_keep_their_second(
    seconds: float, lab: Lab, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "SLOW", 1.0)
    monkeypatch.setattr(rounds_module, "DEADLINE_SECONDS", 1.0)
    monkeypatch.setattr(rounds_module, "BACK_OFF_SECONDS", (1.0, 2.0))
    monkeypatch.setattr(rounds_module, "DAEMON_SHARE", 0.5)
    looked_at, other, stopped = (one.guest for one in crew.members)
    of_disk = {one.uuid: Series(DISK_READS.name, one.uuid, "vda") for one in (looked_at, stopped)}
    of_vcpu = [Series(VCPU_RUN.name, one.uuid, 0) for one in (looked_at, other)]
    with watched(lab, looked_at, period=1.0) as frames:
        wait_for(lambda: all(values(frames, series) for series in of_disk.values()))
        os.kill(stopped.pid, signal.SIGSTOP)
        try:
            begun, start = time.monotonic(), len(frames)
            wait_for(lambda: by_libvirt(stopped.uuid) in frames[-1].gaps)
            time.sleep(max(0.0, begun + seconds - time.monotonic()))
            during, long = frames[start + 1 :], time.monotonic() - begun
            late = next(place for place, frame in enumerate(during) if by_libvirt(stopped.uuid) in frame.gaps)
        finally:
            os.kill(stopped.pid, signal.SIGCONT)
        wait_for(lambda: of_disk[stopped.uuid] in frames[-1].values)
    # One that waited for the monitor would tick half as often at most; a busy machine leaves a tick out now and then.
    assert len(during) > 0.6 * long
    assert [len(values(during, series)) for series in of_vcpu] == [len(during)] * 2
    assert len(values(during, of_disk[looked_at.uuid])) > 0.3 * long
    assert {frame.why_missing(stopped.uuid) for frame in during} == {
        "its QEMU is stopped by a signal (SIGSTOP), so it neither runs nor answers"
    }
    assert all("does not answer its monitor" in frame.gaps[by_libvirt(stopped.uuid)] for frame in during[late:])
    assert values(during[late:], of_disk[stopped.uuid]) == []


def test_a_daemon_that_is_killed_leaves_a_gap_that_says_so_and_the_series_go_on_when_it_is_back(
    lab: Lab, crew: Crew
) -> None:
    one = crew.members[0].guest
    series = Series(DISK_READS.name, one.uuid, "vda")
    with watched(lab, one) as frames:
        wait_for(lambda: bool(values(frames, series)))
        os.kill(lab.pid, signal.SIGKILL)
        try:
            wait_for(lambda: LIBVIRT in frames[-1].gaps)
            lost = len(frames) - 1
            wait_for(lambda: len(frames) >= lost + 3)
            without = frames[lost : lost + 3]
        finally:
            lab.restart()
            crew.reconnect()
        back = len(frames)
        wait_for(lambda: bool(values(frames[back:], series)))
    assert [re.search("libvirt", frame.gaps[LIBVIRT]) is not None for frame in without] == [True] * 3
    assert values(without, series) == []
    run = Series(VCPU_RUN.name, one.uuid, 0)
    assert all(run in frame.values for frame in frames)


@pytest.mark.soak
def test_on_a_machine_without_other_work_a_busy_vcpu_runs_or_waits_all_the_time(lab: Lab, crew: Crew) -> None:
    busy = crew.members[0]
    busy.busy()
    with watched(lab) as frames:
        wait_for(lambda: len(frames) >= 10)
    run, delay = (values(frames[2:], Series(metric.name, busy.guest.uuid, 0)) for metric in (VCPU_RUN, VCPU_RUN_DELAY))
    assert mean(run) + mean(delay) == pytest.approx(1, abs=0.02)


@pytest.mark.soak
def test_on_a_machine_without_other_work_a_disk_held_to_500_requests_a_second_reads_so(lab: Lab, crew: Crew) -> None:
    reader = crew.members[0]
    series = Series(DISK_READS.name, reader.guest.uuid, "vda")
    with reader.reads(), watched(lab, reader.guest) as frames:
        wait_for(lambda: len(values(frames, series)) >= 7)
    found = values(frames, series)[2:]
    assert mean(found) == pytest.approx(IOPS, rel=0.05)
    assert all(0.5 < frame.period_of(series) < 3 for frame in frames[2:] if series in frame.values)


@pytest.mark.soak
def test_on_a_machine_without_other_work_two_busy_guests_on_one_cpu_wait_one_second_a_second(
    lab: Lab, crew: Crew
) -> None:
    pair = crew.members[:2]
    for one in pair:
        one.busy()
        one.pin(CPUS[-1])
    with watched(lab) as frames:
        wait_for(lambda: len(frames) >= 9)
    run, delay = (
        sum(mean(values(frames[1:], Series(metric.name, one.guest.uuid, 0))) for one in pair)
        for metric in (VCPU_RUN, VCPU_RUN_DELAY)
    )
    # Alone on the CPU they run 1 and wait 1; what else runs there makes them wait longer.
    assert run + delay == pytest.approx(2, abs=0.1)
    assert delay >= 0.95
