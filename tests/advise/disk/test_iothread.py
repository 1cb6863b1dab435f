"""disk.iothread: a virtio disk is served by QEMU's main loop."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.advise.intent import Intent
from kvmnb.advise.intent_file import asked
from tests.advise.disk.builders import a_disk, scsi_controller, storage_host, transient
from tests.advise.windows import a_disk_load, a_guest_load, a_window
from tests.builders import a_domain, found, judged, silent, values

RULE = "disk.iothread"
HOST = storage_host()
DISK, CONTROLLER = (
    "domain_xml:devices/disk[vda]/driver/@iothread",
    "domain_xml:devices/controller[scsi][0]/driver/@iothread",
)
COUNT = "domain_xml:iothreads/text()"
SCSI = a_disk("sda", bus="scsi") + scsi_controller()


def test_for_latency_a_disk_gets_an_iothread() -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk()), intent=asked(Intent(), "latency"))
    assert values(finding) == {COUNT: "1", DISK: "1"}
    assert (finding.severity, finding.sure, finding.safety) == (Severity.HIGH, Sure.CERTAIN, Safety.DISRUPTIVE)
    assert finding.note == "rests on: goal latency (asked for)"


def test_for_throughput_it_is_likely_and_less_grave() -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk()), goal="throughput")
    assert (finding.severity, finding.sure) == (Severity.MEDIUM, Sure.LIKELY)
    assert finding.note == "load not measured"


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk()), goal=goal)


def test_a_disk_with_an_iothread_is_right() -> None:
    assert silent(RULE, HOST, a_domain(iothreads=1, devices=a_disk(driver="iothread='1'")), goal="latency")


def test_a_disk_whose_queues_are_mapped_is_right() -> None:
    mapped = a_disk(inside_driver="<iothreads><iothread id='1'/></iothreads>")
    assert silent(RULE, HOST, a_domain(iothreads=1, devices=mapped), goal="latency")


def test_of_several_iothreads_the_least_used_is_taken() -> None:
    devices = a_disk() + a_disk("vdb", driver="iothread='1'")
    assert values(found(RULE, HOST, a_domain(iothreads=2, devices=devices), goal="latency")) == {DISK: "2"}


def test_a_pinned_iothread_is_taken_first() -> None:
    guest = a_domain(iothreads=2, iothread_pins={2: "3"}, devices=a_disk())
    assert values(found(RULE, HOST, guest, goal="latency")) == {DISK: "2"}


PIN = "domain_xml:cputune/iothreadpin[1]/@cpuset"


@pytest.mark.parametrize(("emulator", "cpu"), [("3", "3"), ("1", "0"), (None, "0")])
def test_a_first_iothread_is_kept_away_from_pinned_vcpus(emulator: str | None, cpu: str) -> None:
    guest = a_domain(pins={0: "1", 1: "2"}, emulator=emulator, devices=a_disk())
    assert values(found(RULE, HOST, guest, goal="latency")) == {COUNT: "1", PIN: cpu, DISK: "1"}


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize("devices", [a_disk(), SCSI])
def test_where_vcpus_are_in_its_place_a_person_moves_them_first(devices: str, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(pins={0: "0", 1: "1"}, devices=devices), goal=goal)
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())
    assert "put their pins right first" in (finding.note or "")


def test_light_disks_share_one() -> None:
    result = judged(RULE, HOST, a_domain(devices=a_disk() + a_disk("vdb")), goal="latency")
    assert {want.value for one in result.findings for want in one.wants} == {"1"}
    assert len(result.findings) == 2


def test_of_scsi_disks_the_controller_gets_it_once() -> None:
    finding = found(RULE, HOST, a_domain(devices=SCSI + a_disk("sdb", bus="scsi")), goal="latency")
    assert values(finding) == {COUNT: "1", CONTROLLER: "1"}
    assert finding.subject == "domain/guest/controller/scsi0"
    assert finding.safety is Safety.DISRUPTIVE


def test_a_controller_with_an_iothread_is_right() -> None:
    devices = a_disk("sda", bus="scsi") + scsi_controller(driver="iothread='1'")
    assert silent(RULE, HOST, a_domain(iothreads=1, devices=devices), goal="latency")


@pytest.mark.parametrize("model", ["lsilogic", None])
def test_an_emulated_controller_takes_none(model: str | None) -> None:
    devices = a_disk("sda", bus="scsi") + scsi_controller(model)
    assert silent(RULE, HOST, a_domain(devices=devices), goal="latency")


@pytest.mark.parametrize("disk", [a_disk("sda", bus="sata"), a_disk(device="cdrom"), a_disk(more="<readonly/>")])
def test_other_disks_are_not_judged(disk: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=disk), goal="latency")


@pytest.mark.parametrize("devices", [a_disk(), SCSI])
def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person(devices: str) -> None:
    assert found(RULE, HOST, transient(a_domain(devices=devices)), goal="latency").safety is Safety.MANUAL


@pytest.mark.parametrize(
    ("requests", "loop", "severity", "sure"),
    [
        (10_001.0, 0.1, Severity.HIGH, Sure.CERTAIN),
        (10_000.0, 0.5, Severity.LOW, Sure.LIKELY),
        (10.0, 0.51, Severity.HIGH, Sure.CERTAIN),
    ],
)
def test_requests_or_a_busy_main_loop_make_it_certain_for_throughput(
    requests: float, loop: float, severity: Severity, sure: Sure
) -> None:
    disks = [a_disk_load(reads_per_second=requests / 2, writes_per_second=requests / 2)]
    load = a_window(a_guest_load(threads=[("emulator", 0, loop), ("iothread", 1, 1.0)], disks=disks))
    finding = found("disk.iothread", storage_host(), a_domain(devices=a_disk()), goal="throughput", load=load)
    assert (finding.severity, finding.sure) == (severity, sure)
