"""disk.bus: a disk hangs on an emulated controller."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.advise.intent import GuestIntent
from tests.advise.disk.builders import DEBIAN, WINDOWS, a_disk, says_os, storage_host, transient
from tests.builders import a_domain, an_intent, found, judged, silent, values

RULE = "disk.bus"
HOST = storage_host()


@pytest.mark.parametrize("bus", ["ide", "sata", "usb", "fdc", "sd"])
def test_an_emulated_bus_of_a_linux_guest_becomes_virtio(bus: str) -> None:
    finding = found(RULE, HOST, says_os(a_domain(devices=a_disk("sda", bus=bus)), DEBIAN))
    assert values(finding) == {
        "domain_xml:devices/disk[sda]/target/@bus": "virtio",
        "domain_xml:devices/disk[sda]/address": "<address type='pci'/>",
    }
    assert (finding.severity, finding.safety, finding.sure) == (Severity.CRITICAL, Safety.DISRUPTIVE, Sure.CERTAIN)
    assert finding.subject == "domain/guest/disk/sda"
    assert "initial ramdisk" in " ".join(finding.costs)
    assert DEBIAN in (finding.note or "")


@pytest.mark.parametrize("bus", ["virtio", "scsi"])
def test_paravirtual_buses_are_right(bus: str) -> None:
    assert silent(RULE, HOST, says_os(a_domain(devices=a_disk("sda", bus=bus)), DEBIAN))


@pytest.mark.parametrize(("target", "speaks"), [("hda", True), ("vda", False), ("sda", False)])
def test_a_bus_that_is_not_named_is_guessed_from_the_target(target: str, speaks: bool) -> None:
    guest = says_os(a_domain(devices=a_disk(target, bus=None)), DEBIAN)
    assert silent(RULE, HOST, guest) is not speaks


@pytest.mark.parametrize("device", ["cdrom", "floppy"])
def test_removable_media_are_left_alone(device: str) -> None:
    assert silent(RULE, HOST, says_os(a_domain(devices=a_disk("sda", bus="sata", device=device)), DEBIAN))


def test_a_disk_that_is_only_read_is_left_alone() -> None:
    assert silent(RULE, HOST, says_os(a_domain(devices=a_disk("sda", bus="sata", more="<readonly/>")), DEBIAN))


def test_windows_is_left_to_a_person() -> None:
    finding = found(RULE, HOST, says_os(a_domain(devices=a_disk("sda", bus="sata")), WINDOWS))
    assert (finding.safety, finding.wants, finding.sure) == (Safety.MANUAL, (), Sure.POSSIBLE)
    assert "Install the virtio driver" in finding.by_hand[0]


def test_a_guest_of_unknown_system_is_left_to_a_person() -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk("sda", bus="sata")))
    assert (finding.safety, finding.sure) == (Safety.MANUAL, Sure.POSSIBLE)
    assert "nothing says" in (finding.note or "")


@pytest.mark.parametrize(("word", "safety"), [("linux", Safety.DISRUPTIVE), ("windows", Safety.MANUAL)])
def test_a_persons_word_stands_above_the_metadata(word: str, safety: Safety) -> None:
    guest = says_os(a_domain(devices=a_disk("sda", bus="sata")), DEBIAN)
    intent = an_intent(guest=GuestIntent(os=word))
    assert found(RULE, HOST, guest, intent=intent).safety is safety


def test_a_system_without_linux_is_no_proof() -> None:
    guest = says_os(a_domain(devices=a_disk("sda", bus="sata")), "http://freebsd.org/freebsd/13.2")
    assert found(RULE, HOST, guest).safety is Safety.MANUAL


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = transient(a_domain(devices=a_disk("sda", bus="sata")))
    assert found(RULE, HOST, guest, intent=an_intent(guest=GuestIntent(os="linux"))).safety is Safety.MANUAL


def test_guests_of_other_hypervisors_are_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(virt_type="xen", devices=a_disk("hda", bus="ide")))


def test_a_right_disk_hides_no_other() -> None:
    right, emulated = a_disk("vda"), a_disk("sda", bus="sata")
    guest = says_os(a_domain(devices=right + emulated + a_disk("vdb") + a_disk("sdb", bus="ide")), DEBIAN)
    subjects = {one.subject for one in judged(RULE, HOST, guest).findings}
    assert subjects == {"domain/guest/disk/sda", "domain/guest/disk/sdb"}


def test_without_proof_each_disk_is_left_to_a_person() -> None:
    guest = a_domain(devices=a_disk("sda", bus="sata") + a_disk("sdb", bus="ide"))
    assert len(judged(RULE, HOST, guest).findings) == 2
