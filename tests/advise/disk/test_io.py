"""disk.io: the way in which QEMU hands a disk's requests to the kernel does not fit its storage."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Severity, Sure
from kvmnb.core.units import GIB
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.image import DiskImage
from tests.advise.disk.builders import a_block, a_disk, a_mount, an_image, holding, storage_host
from tests.builders import a_domain, a_fact, found, judged, silent, values

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
    assert "its image was not asked for" in result.not_checked[0].reason


def raw(driver: str, allocated_gib: int | None) -> Domain:
    """A guest with a raw file of 100 GiB that takes so much."""
    image = an_image(format="raw", actual_bytes=None if allocated_gib is None else allocated_gib * GIB)
    return holding(a_domain(devices=a_disk(format="raw", driver=driver)), vda=image)


@pytest.mark.parametrize(
    ("driver", "allocated_gib", "wanted"),
    [
        ("cache='none'", 100, "native"),
        ("cache='directsync' io='threads'", 100, "native"),
        ("cache='none'", 99, None),
        ("cache='none' io='native'", 100, None),
        ("cache='none' io='native'", 99, "threads"),
        ("cache='writeback'", 100, None),
    ],
)
def test_a_raw_files_allocation_decides(driver: str, allocated_gib: int, wanted: str | None) -> None:
    guest = raw(driver, allocated_gib)
    if wanted is None:
        assert silent(RULE, HOST, guest, goal="latency")
    else:
        finding = found(RULE, HOST, guest, goal="latency")
        assert values(finding) == {IO: wanted}
        assert finding.sure is (Sure.CERTAIN if wanted == "native" else Sure.LIKELY)
        assert ("not fully allocated" in finding.saw) is (wanted == "threads")


def test_an_allocation_that_is_not_told_is_not_checked() -> None:
    result = judged(RULE, HOST, raw("cache='none'", None), goal="latency")
    assert "how much of it is allocated is not told" in result.not_checked[0].reason


@pytest.mark.parametrize(("allocated_gib", "value"), [(100, {CACHE: "none"}), (99, {IO: "threads"})])
def test_native_with_the_page_cache_on_a_raw_file_follows_its_allocation(
    allocated_gib: int, value: dict[str, str]
) -> None:
    assert values(found(RULE, HOST, raw("io='native'", allocated_gib), goal="latency")) == value


def test_a_raw_file_does_not_hide_what_is_known_of_another_disk() -> None:
    disks = a_disk("vdb", format="raw", driver="cache='none'") + a_disk(kind="block", driver="cache='none'")
    result = judged(RULE, HOST, a_domain(devices=disks), goal="latency")
    assert ([one.subject for one in result.findings], len(result.not_checked)) == (["domain/guest/disk/vda"], 1)


@pytest.mark.parametrize(
    "images", [Gap("images", "late"), (a_fact(DiskImage, target="vda", image=Gap("image", "late")),)]
)
def test_a_cache_that_native_is_refused_with_is_told_without_the_image(images: Any) -> None:
    guest = changed(a_domain(devices=a_disk(format="raw", driver="io='native'")), images=images)
    assert [values(one) for one in judged(RULE, HOST, guest, goal="latency").findings] == [{IO: "threads"}]


def test_native_with_the_page_cache_is_refused_and_gets_the_cache_that_fits() -> None:
    guest = a_domain(devices=a_disk(kind="block", driver="cache='writeback' io='native'"))
    assert values(found(RULE, HOST, guest, goal="latency")) == {CACHE: "none"}


@pytest.mark.parametrize("format", ["raw", "qcow2"])
def test_native_with_the_page_cache_on_a_file_that_may_grow_becomes_threads(format: str) -> None:
    guest = a_domain(devices=a_disk(format=format, driver="io='native'"))
    assert values(found(RULE, HOST, guest, goal="latency")) == {IO: "threads"}


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
