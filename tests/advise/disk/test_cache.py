"""disk.cache: a disk goes through the host's page cache although its storage suits direct I/O."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.gap import Gap, changed
from tests.advise.disk.builders import a_block, a_disk, a_mount, storage_host, transient
from tests.builders import a_domain, found, judged, silent, values

RULE = "disk.cache"
NVME = storage_host()
SATA = storage_host(a_block("sda", transport="sata"), mounts=(a_mount(device="sda"),))
WANT = "domain_xml:devices/disk[vda]/driver/@cache"


def cached(mode: str | None) -> str:
    return f"cache='{mode}'" if mode is not None else ""


@pytest.mark.parametrize("mode", [None, "default", "writeback"])
@pytest.mark.parametrize("kind", ["file", "block"])
def test_nvme_files_and_block_devices_do_without_the_page_cache(kind: str, mode: str | None) -> None:
    finding = found(RULE, NVME, a_domain(devices=a_disk(kind=kind, driver=cached(mode))))
    assert values(finding) == {WANT: "none"}
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    assert any("a reboot inside the guest is not enough" in cost for cost in finding.costs)


def test_writethrough_keeps_its_promise() -> None:
    finding = found(RULE, NVME, a_domain(devices=a_disk(driver=cached("writethrough"))))
    assert values(finding) == {WANT: "directsync"}
    assert "writethrough promises" in (finding.note or "")


@pytest.mark.parametrize("mode", ["none", "directsync", "unsafe"])
def test_other_modes_are_not_its_matter(mode: str) -> None:
    assert silent(RULE, NVME, a_domain(devices=a_disk(kind="block", driver=cached(mode))))


def test_a_file_on_a_slower_device_may_be_cached() -> None:
    assert silent(RULE, SATA, a_domain(devices=a_disk()))


def test_a_file_that_lies_on_nvme_only_in_part_may_be_cached() -> None:
    raid = a_block("md0", type="raid1", transport=None, slaves=("nvme0n1", "sda"))
    host = storage_host(raid, a_block(), a_block("sda", transport="sata"), mounts=(a_mount(device="md0"),))
    assert silent(RULE, host, a_domain(devices=a_disk()))


@pytest.mark.parametrize(
    ("fs_type", "speaks"), [("nfs4", True), ("ceph", True), ("tmpfs", False), ("fuse.sshfs", False)]
)
def test_shared_file_systems_ask_for_direct_io(fs_type: str, speaks: bool) -> None:
    host = storage_host(mounts=(a_mount(fs_type=fs_type, device=None),))
    assert silent(RULE, host, a_domain(devices=a_disk())) is not speaks


def test_network_disks_have_their_librarys_cache() -> None:
    assert silent(RULE, NVME, a_domain(devices=a_disk(kind="network", format="raw")))


def test_an_overlay_may_keep_writeback_that_is_written_out() -> None:
    assert silent(RULE, NVME, a_domain(devices=a_disk(driver=cached("writeback"), chain=1)))
    assert found(RULE, NVME, a_domain(devices=a_disk(chain=1)))


@pytest.mark.parametrize("words", [{"device": "cdrom"}, {"more": "<readonly/>"}])
def test_what_is_only_read_is_left_alone(words: dict[str, str]) -> None:
    assert silent(RULE, NVME, a_domain(devices=a_disk(kind="block", **words)))  # type: ignore[arg-type]


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, NVME, a_domain(devices=a_disk(kind="block")), goal="density")


def test_each_disk_has_its_finding() -> None:
    result = judged(RULE, NVME, a_domain(devices=a_disk() + a_disk("vdb") + a_disk("vdc", driver="cache='none'")))
    assert [one.subject for one in result.findings] == ["domain/guest/disk/vda", "domain/guest/disk/vdb"]


def test_mounts_that_cannot_be_read_are_not_checked() -> None:
    host = changed(NVME, mounts=Gap("mounts", "taken away"))
    assert judged(RULE, host, a_domain(devices=a_disk())).not_checked


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    assert found(RULE, NVME, transient(a_domain(devices=a_disk()))).safety is Safety.MANUAL


def test_a_right_disk_hides_no_other_and_what_is_written_is_told() -> None:
    disks = a_disk(driver=cached("none")) + a_disk("vdb", driver=cached("writeback")) + a_disk("vdc")
    said = {one.subject: one.saw for one in judged(RULE, NVME, a_domain(devices=disks)).findings}
    assert sorted(said) == ["domain/guest/disk/vdb", "domain/guest/disk/vdc"]
    assert said["domain/guest/disk/vdb"].startswith("disk vdb: driver/@cache is writeback")
    assert said["domain/guest/disk/vdc"].startswith("disk vdc: there is no driver/@cache")
