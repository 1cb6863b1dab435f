"""disk.discard: what the guest frees is not given back to the storage."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.disk.builders import a_block, a_disk, storage_host
from tests.builders import a_domain, found, judged, silent, values

RULE = "disk.discard"
HOST = storage_host()
WANT = {"domain_xml:devices/disk[vda]/driver/@discard": "unmap"}


@pytest.mark.parametrize("goal", ["density", "balanced", "throughput"])
@pytest.mark.parametrize("driver", ["", "discard='ignore'"])
def test_a_qcow2_file_takes_space_back(driver: str, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(driver=driver)), goal=goal)
    assert values(finding) == WANT
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.DISRUPTIVE)


def test_goal_latency_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk()), goal="latency")


def test_a_disk_with_unmap_is_right() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver="discard='unmap'")))


@pytest.mark.parametrize(("largest", "speaks"), [(1 << 30, True), (0, False), (None, False)])
def test_a_block_device_takes_space_back_where_it_takes_discards(largest: int | None, speaks: bool) -> None:
    host = storage_host(a_block(discard_max_bytes=largest))
    assert silent(RULE, host, a_domain(devices=a_disk(kind="block", format="raw"))) is not speaks


def test_an_unknown_block_device_is_not_checked() -> None:
    result = judged(RULE, HOST, a_domain(devices=a_disk(kind="block", source="/dev/elsewhere", format="raw")))
    assert "block device of vda" in result.not_checked[0].reason


def test_rbd_images_are_thin_and_other_network_disks_are_not_known() -> None:
    assert values(found(RULE, HOST, a_domain(devices=a_disk(kind="network", format="raw")))) == WANT
    nbd = a_disk(kind="network", format="raw", source="<source protocol='nbd' name='x'/>")
    assert silent(RULE, HOST, a_domain(devices=nbd))


def test_a_raw_file_is_not_checked_until_its_image_is_read() -> None:
    result = judged(RULE, HOST, a_domain(devices=a_disk(format="raw")))
    assert "sparse" in result.not_checked[0].reason


def test_a_raw_file_does_not_hide_what_is_known_of_another_disk() -> None:
    guest = a_domain(devices=a_disk("vdb", format="raw") + a_disk())
    assert found(RULE, HOST, guest).subject == "domain/guest/disk/vda"


@pytest.mark.parametrize(
    ("bus", "speaks"), [("virtio", True), ("scsi", True), ("sata", True), ("ide", True), ("usb", False)]
)
def test_buses_that_know_discards(bus: str, speaks: bool) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(bus=bus))) is not speaks


@pytest.mark.parametrize(
    ("machine", "bus", "safety"),
    [
        ("pc-q35-4.0", "virtio", Safety.DISRUPTIVE),
        ("pc-q35-3.1", "virtio", Safety.MANUAL),
        ("pc-i440fx-rhel7.6.0", "virtio", Safety.MANUAL),
        ("pc-i440fx-3.1", "scsi", Safety.DISRUPTIVE),
    ],
)
def test_virtio_disks_of_old_machine_types_take_no_discards(machine: str, bus: str, safety: Safety) -> None:
    finding = found(RULE, HOST, a_domain(machine=machine, devices=a_disk(bus=bus)))
    assert finding.safety is safety
    assert ("older than 4.0" in (finding.note or "")) is (safety is Safety.MANUAL)


@pytest.mark.parametrize("more", ["<encryption format='luks'/>"])
def test_encrypted_images_are_left_to_a_person(more: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(more=more)))
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())
    assert "encrypted" in (finding.note or "")


def test_a_right_disk_hides_no_other_and_what_is_written_is_told() -> None:
    disks = a_disk(driver="discard='unmap'") + a_disk("vdb", driver="discard='ignore'") + a_disk("vdc")
    said = {one.subject: one.saw for one in judged(RULE, HOST, a_domain(devices=disks)).findings}
    assert sorted(said) == ["domain/guest/disk/vdb", "domain/guest/disk/vdc"]
    assert said["domain/guest/disk/vdb"].startswith("disk vdb: driver/@discard is ignore")
    assert said["domain/guest/disk/vdc"].startswith("disk vdc: there is no driver/@discard")
