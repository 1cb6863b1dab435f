"""disk.iothread.vqmap: all queues of a disk are served by one iothread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.disk.builders import a_disk, scsi_controller, storage_host
from tests.advise.windows import a_guest_load, a_window
from tests.builders import a_domain, found, judged, silent

RULE = "disk.iothread.vqmap"
NEW = storage_host(libvirt="11.2.0", qemu="10.0.0")
DISK = a_disk(driver="iothread='1'")
SCSI = a_disk("sda", bus="scsi") + scsi_controller(driver="iothread='1'")


@pytest.mark.parametrize("devices", [DISK, SCSI])
def test_it_says_that_there_is_more_to_be_had(devices: str) -> None:
    finding = found(RULE, NEW, a_domain(vcpus=4, iothreads=1, devices=devices), goal="throughput")
    assert (finding.severity, finding.sure, finding.safety) == (Severity.INFO, Sure.POSSIBLE, Safety.MANUAL)
    assert "load not measured" in (finding.note or "")
    assert "<iothread id='1'/><iothread id='2'/>" in finding.by_hand[1]


@pytest.mark.parametrize("goal", ["latency", "balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, NEW, a_domain(vcpus=4, iothreads=1, devices=DISK), goal=goal)


def test_three_vcpus_do_not_fill_an_iothread() -> None:
    assert silent(RULE, NEW, a_domain(vcpus=3, iothreads=1, devices=DISK), goal="throughput")


@pytest.mark.parametrize(
    ("devices", "libvirt", "qemu", "speaks"),
    [
        (DISK, "10.0.0", "9.0.0", True),
        (DISK, "9.10.0", "9.0.0", False),
        (DISK, "10.0.0", "8.2.0", False),
        (SCSI, "11.2.0", "10.0.0", True),
        (SCSI, "11.1.0", "10.0.0", False),
        (SCSI, "11.2.0", "9.2.0", False),
    ],
)
def test_it_takes_versions_that_can_map(devices: str, libvirt: str, qemu: str, speaks: bool) -> None:
    host = storage_host(libvirt=libvirt, qemu=qemu)
    assert silent(RULE, host, a_domain(vcpus=4, iothreads=1, devices=devices), goal="throughput") is not speaks


@pytest.mark.parametrize(
    "devices",
    [
        a_disk(),
        a_disk(driver="iothread='1' queues='1'"),
        a_disk(inside_driver="<iothreads><iothread id='1'/></iothreads>"),
        a_disk("sda", bus="scsi") + scsi_controller(),
        a_disk("sda", bus="scsi") + scsi_controller(driver="iothread='1' queues='1'"),
        a_disk("sda", bus="scsi"),
    ],
)
def test_without_one_iothread_for_many_queues_there_is_nothing_to_say(devices: str) -> None:
    assert silent(RULE, NEW, a_domain(vcpus=4, iothreads=1, devices=devices), goal="throughput")


def test_without_libvirt_it_is_not_checked() -> None:
    host = replace(NEW, hypervisor=None)
    guest = a_domain(vcpus=4, iothreads=1, devices=DISK)
    assert judged(RULE, host, guest, goal="throughput").not_checked


@pytest.mark.parametrize(("run", "fires"), [(0.9, True), (0.89, False)])
def test_an_iothread_without_time_left_makes_it_grave(run: float, fires: bool) -> None:
    guest = a_domain(vcpus=4, iothreads=1, devices=DISK)
    load = a_window(a_guest_load(threads=[("iothread", 1, run), ("iothread", 2, 1.0)]))
    assert silent(RULE, NEW, guest, goal="throughput", load=load) is not fires
    if fires:
        finding = found(RULE, NEW, guest, goal="throughput", load=load)
        assert (finding.severity, finding.sure) == (Severity.HIGH, Sure.LIKELY)
