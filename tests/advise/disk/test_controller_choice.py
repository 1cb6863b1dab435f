"""disk.controller.choice: the kind of paravirtual disk controller does not fit what hangs on it."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.disk.builders import DEBIAN, WINDOWS, a_disk, says_os, scsi_controller, storage_host, transient
from tests.builders import a_domain, found, silent, values

RULE = "disk.controller.choice"
HOST = storage_host()
MODEL, IOTHREAD = (
    "domain_xml:devices/controller[scsi][0]/@model",
    "domain_xml:devices/controller[scsi][0]/driver/@iothread",
)


def scsi(count: int = 1, **words: str) -> str:
    return "".join(a_disk(f"sd{chr(97 + n)}", bus="scsi", **words) for n in range(count)) + scsi_controller()  # type: ignore[arg-type]


def blk(count: int) -> str:
    return "".join(a_disk(f"vd{n}") for n in range(count))


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize("count", [1, 24])
def test_few_plain_disks_need_no_scsi(count: int, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=scsi(count)), goal=goal)
    assert (finding.severity, finding.safety) == (Severity.INFO, Safety.MANUAL)
    assert "leave these as they are" in finding.by_hand[0]


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=scsi()), goal=goal)


@pytest.mark.parametrize(
    "devices",
    [
        scsi(25),
        scsi(device="lun", kind="block", format="raw"),
        scsi() + a_disk("sdz", bus="scsi", device="cdrom"),
        a_disk("sda", bus="scsi"),
        blk(1),
    ],
)
def test_scsi_that_is_needed_is_left_alone(devices: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=devices), goal="latency")


def test_a_cdrom_on_another_bus_is_no_need() -> None:
    assert found(RULE, HOST, a_domain(devices=scsi() + a_disk("hda", bus="sata", device="cdrom")), goal="latency")


@pytest.mark.parametrize(("count", "speaks"), [(28, False), (29, True)])
def test_very_many_virtio_disks_want_scsi(count: int, speaks: bool) -> None:
    assert silent(RULE, HOST, a_domain(devices=blk(count)), goal="latency") is not speaks


def test_scsi_commands_want_scsi() -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(device="lun", kind="block", format="raw")), goal="latency")
    assert "should pass SCSI commands" in finding.saw


@pytest.mark.parametrize("model", ["lsilogic", "lsisas1068", "lsisas1078", "buslogic", None])
def test_an_emulated_adapter_of_a_linux_guest_becomes_virtio_scsi(model: str | None) -> None:
    guest = says_os(a_domain(devices=a_disk("sda", bus="scsi") + scsi_controller(model)), DEBIAN)
    finding = found(RULE, HOST, guest, goal="throughput")
    assert values(finding) == {MODEL: "virtio-scsi"}
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    assert finding.subject == "domain/guest/controller/scsi0"


def test_for_latency_it_gets_an_iothread_at_once() -> None:
    guest = says_os(a_domain(devices=a_disk("sda", bus="scsi") + scsi_controller("lsilogic")), DEBIAN)
    wants = values(found(RULE, HOST, guest, goal="latency"))
    assert wants == {MODEL: "virtio-scsi", "domain_xml:iothreads/text()": "1", IOTHREAD: "1"}


def test_without_a_model_other_architectures_have_another_default() -> None:
    devices = a_disk("sda", bus="scsi") + scsi_controller(None)
    assert silent(RULE, HOST, a_domain(arch="s390x", devices=devices), goal="latency")


@pytest.mark.parametrize("os_id", [None, WINDOWS])
def test_without_proof_of_a_driver_a_person_decides(os_id: str | None) -> None:
    guest = says_os(a_domain(devices=a_disk("sda", bus="scsi") + scsi_controller("lsilogic")), os_id)
    finding = found(RULE, HOST, guest, goal="latency")
    assert (finding.safety, finding.wants, finding.sure) == (Safety.MANUAL, (), Sure.POSSIBLE)


def test_an_adapter_without_disks_is_left_alone() -> None:
    assert silent(RULE, HOST, a_domain(devices=scsi_controller("lsilogic")), goal="latency")


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = a_domain(devices=a_disk("sda", bus="scsi") + scsi_controller("lsilogic"))
    assert found(RULE, HOST, transient(guest), goal="latency").safety is Safety.MANUAL
