"""disk.io: the way in which QEMU hands a disk's requests to the kernel does not fit its storage."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Severity, Sure
from tests.advise.disk.builders import a_block, a_disk, a_mount, storage_host
from tests.builders import a_domain, found, judged, silent, values

RULE = "disk.io"
HOST = storage_host()
SATA = storage_host(a_block("sda", transport="sata"), mounts=(a_mount(device="sda"),))
IO, CACHE = "domain_xml:devices/disk[vda]/driver/@io", "domain_xml:devices/disk[vda]/driver/@cache"


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize("io", ["", " io='threads'"])
@pytest.mark.parametrize("cache", ["none", "directsync"])
def test_a_block_device_with_direct_io_gets_native(cache: str, io: str, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(kind="block", driver=f"cache='{cache}'{io}")), goal=goal)
    assert values(finding) == {IO: "native"}
    assert finding.severity is Severity.MEDIUM


@pytest.mark.parametrize("driver", ["cache='writeback'", "", "cache='none' io='native'", "cache='none' io='io_uring'"])
def test_a_block_device_is_silent_otherwise(driver: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(kind="block", driver=driver)), goal="latency")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(kind="block", driver="cache='none'")), goal=goal)


def test_native_on_a_qcow2_file_is_likely_to_block() -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(driver="cache='none' io='native'")), goal="latency")
    assert values(finding) == {IO: "threads"}
    assert finding.sure is Sure.LIKELY
    assert "load not measured" in (finding.note or "")


@pytest.mark.parametrize("format", ["qcow2", "raw"])
@pytest.mark.parametrize("fs_type", ["nfs", "fuse.glusterfs"])
def test_native_on_network_files_blocks(fs_type: str, format: str) -> None:
    host = storage_host(mounts=(a_mount(fs_type=fs_type, device=None),))
    guest = a_domain(devices=a_disk(format=format, driver="cache='none' io='native'"))
    finding = found(RULE, host, guest, goal="latency")
    assert (values(finding), finding.sure) == ({IO: "threads"}, Sure.CERTAIN)


def test_threads_suit_files_that_grow() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver="cache='none'")), goal="latency")
    host = storage_host(mounts=(a_mount(fs_type="nfs", device=None),))
    assert silent(RULE, host, a_domain(devices=a_disk(format="raw", driver="cache='none'")), goal="latency")


@pytest.mark.parametrize("driver", ["cache='none'", "cache='none' io='native'"])
def test_a_raw_file_is_not_checked_until_its_image_is_read(driver: str) -> None:
    result = judged(RULE, HOST, a_domain(devices=a_disk(format="raw", driver=driver)), goal="latency")
    assert "fully allocated" in result.not_checked[0].reason


def test_a_raw_file_does_not_hide_what_is_known_of_another_disk() -> None:
    disks = a_disk("vdb", format="raw", driver="cache='none'") + a_disk(kind="block", driver="cache='none'")
    assert found(RULE, HOST, a_domain(devices=disks), goal="latency").subject == "domain/guest/disk/vda"


def test_native_with_the_page_cache_is_refused_and_gets_the_cache_that_fits() -> None:
    guest = a_domain(devices=a_disk(kind="block", driver="cache='writeback' io='native'"))
    assert values(found(RULE, HOST, guest, goal="latency")) == {CACHE: "none"}


@pytest.mark.parametrize(("format", "value"), [("raw", {CACHE: "none"}), ("qcow2", {IO: "threads"})])
def test_native_with_the_page_cache_on_nvme_is_put_right_in_one_step(format: str, value: dict[str, str]) -> None:
    guest = a_domain(devices=a_disk(format=format, driver="io='native'"))
    assert values(found(RULE, HOST, guest, goal="latency")) == value


@pytest.mark.parametrize("cache", ["cache='writeback' ", "", "cache='unsafe' "])
def test_native_with_a_page_cache_that_fits_becomes_threads(cache: str) -> None:
    guest = a_domain(devices=a_disk(driver=f"{cache}io='native'"))
    assert values(found(RULE, SATA, guest, goal="latency")) == {IO: "threads"}


@pytest.mark.parametrize(("kind", "value"), [("block", "native"), ("file", "threads")])
def test_io_uring_that_the_kernel_forbids_is_replaced(kind: str, value: str) -> None:
    host = storage_host(sysctls={"kernel.io_uring_disabled": "2"})
    guest = a_domain(devices=a_disk(kind=kind, driver="cache='none' io='io_uring'"))
    assert values(found(RULE, host, guest, goal="latency")) == {IO: value}


@pytest.mark.parametrize(
    ("cache", "value"), [("writeback", {IO: "native", CACHE: "none"}), ("unsafe", {IO: "native", CACHE: "none"})]
)
def test_a_block_device_gets_the_cache_that_native_needs_with_it(cache: str, value: dict[str, str]) -> None:
    host = storage_host(sysctls={"kernel.io_uring_disabled": "2"})
    guest = a_domain(devices=a_disk(kind="block", driver=f"cache='{cache}' io='io_uring'"))
    assert values(found(RULE, host, guest, goal="latency")) == value


@pytest.mark.parametrize("sysctls", [{}, {"kernel.io_uring_disabled": "0"}])
def test_io_uring_that_is_allowed_is_somebodys_choice(sysctls: dict[str, str]) -> None:
    guest = a_domain(devices=a_disk(driver="cache='none' io='io_uring'"))
    assert silent(RULE, storage_host(sysctls=sysctls), guest, goal="latency")


@pytest.mark.parametrize(("group", "speaks"), [("-1", True), ("36", False)])
def test_io_uring_for_a_group_is_forbidden_where_there_is_none(group: str, speaks: bool) -> None:
    host = storage_host(sysctls={"kernel.io_uring_disabled": "1", "kernel.io_uring_group": group})
    guest = a_domain(devices=a_disk(driver="io='io_uring'"))
    assert silent(RULE, host, guest, goal="latency") is not speaks


def test_io_uring_for_a_group_that_is_not_read_is_not_checked() -> None:
    host = storage_host(sysctls={"kernel.io_uring_disabled": "1"})
    result = judged(RULE, host, a_domain(devices=a_disk(driver="io='io_uring'")), goal="latency")
    assert "kernel.io_uring_group" in result.not_checked[0].reason


def test_network_disks_have_no_such_choice() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(kind="network", driver="cache='none'")), goal="latency")
