"""disk.queues: a disk has one queue for several vCPUs."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.disk.builders import a_disk, scsi_controller, storage_host, transient
from tests.builders import a_domain, found, judged, silent, values

RULE = "disk.queues"
HOST = storage_host()
DISK = "domain_xml:devices/disk[vda]/driver/@queues"
CONTROLLER = "domain_xml:devices/controller[scsi][0]/driver/@queues"
ONE = a_disk(driver="queues='1'")


@pytest.mark.parametrize(("vcpus", "queues"), [(2, "2"), (8, "8"), (9, "8")])
def test_one_queue_becomes_one_for_each_vcpu(vcpus: int, queues: str) -> None:
    finding = found(RULE, HOST, a_domain(vcpus=vcpus, devices=ONE), goal="throughput")
    assert values(finding) == {DISK: queues}
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.DISRUPTIVE)


@pytest.mark.parametrize("goal", ["latency", "balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=ONE), goal=goal)


@pytest.mark.parametrize("words", [{"vcpus": 1}, {"vcpus": 4, "current": 1}])
def test_one_vcpu_needs_one_queue(words: dict[str, int]) -> None:
    assert silent(RULE, HOST, a_domain(devices=ONE, **words), goal="throughput")  # type: ignore[arg-type]


@pytest.mark.parametrize(("machine", "speaks"), [("pc-q35-5.1", True), ("pc-q35-5.2", False), ("pc-q35-7.2", False)])
def test_old_machine_types_give_one_queue(machine: str, speaks: bool) -> None:
    assert silent(RULE, HOST, a_domain(machine=machine, devices=a_disk()), goal="throughput") is not speaks


def test_a_number_that_somebody_chose_is_kept() -> None:
    guest = a_domain(vcpus=8, machine="pc-q35-5.1", devices=a_disk(driver="queues='2'"))
    assert silent(RULE, HOST, guest, goal="throughput")


def test_a_machine_type_of_unknown_age_is_not_checked() -> None:
    assert judged(RULE, HOST, a_domain(machine="own", devices=a_disk()), goal="throughput").not_checked


def test_of_scsi_disks_the_controller_gets_them_once() -> None:
    devices = a_disk("sda", bus="scsi") + a_disk("sdb", bus="scsi") + scsi_controller(driver="queues='1'")
    finding = found(RULE, HOST, a_domain(vcpus=4, devices=devices), goal="throughput")
    assert values(finding) == {CONTROLLER: "4"}
    assert finding.subject == "domain/guest/controller/scsi0"


@pytest.mark.parametrize(
    "controller", [scsi_controller("lsilogic", driver="queues='1'"), scsi_controller(driver="queues='2'"), ""]
)
def test_other_controllers_are_left_alone(controller: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk("sda", bus="scsi") + controller), goal="throughput")


def test_emulated_disks_have_no_queues() -> None:
    assert silent(RULE, HOST, a_domain(machine="pc-q35-5.1", devices=a_disk("sda", bus="sata")), goal="throughput")


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    devices = a_disk("sda", bus="scsi") + scsi_controller(driver="queues='1'")
    assert found(RULE, HOST, transient(a_domain(devices=devices)), goal="throughput").safety is Safety.MANUAL
    assert found(RULE, HOST, transient(a_domain(devices=ONE)), goal="throughput").safety is Safety.MANUAL
