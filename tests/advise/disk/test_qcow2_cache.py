"""disk.qcow2.cache: the table cache of a qcow2 disk does not cover its image."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.core.units import GIB, KIB, MIB
from kvmnb.facts.gap import Gap, changed
from tests.advise.disk.builders import a_disk, an_image, holding, storage_host, transient
from tests.advise.windows import a_disk_load, a_guest_load, a_window
from tests.builders import a_domain, a_guest, found, judged, silent, values

RULE = "disk.qcow2.cache"
HOST = storage_host()
CACHED = "<metadata_cache><max_size unit='{unit}'>{size}</max_size></metadata_cache>"


@pytest.mark.parametrize("goal", ["throughput", "latency"])
@pytest.mark.parametrize(
    ("virtual", "cluster", "extended", "size"),
    [
        # docs/qcow2-cache.txt: 32 MiB map 256 GiB in clusters of 64 KiB, half of that with extended L2.
        (256 * GIB + 64 * KIB, 64 * KIB, False, 32 * MIB + 64 * KIB + 256 * KIB),
        (256 * GIB, 64 * KIB, True, 64 * MIB + 256 * KIB),
        (8192 * GIB, 1 * MIB, False, 64 * MIB + 4 * MIB),
    ],
)
def test_tables_larger_than_the_default_cache_are_told(
    virtual: int, cluster: int, extended: bool, size: int, goal: str
) -> None:
    image = an_image(virtual_bytes=virtual, cluster_bytes=cluster, extended_l2=extended)
    finding = found(RULE, HOST, holding(a_domain(devices=a_disk()), vda=image), goal=goal)
    assert (finding.severity, finding.sure, finding.safety) == (Severity.MEDIUM, Sure.LIKELY, Safety.DISRUPTIVE)
    assert values(finding) == {
        "domain_xml:devices/disk[vda]/driver/metadata_cache/max_size/@unit": "bytes",
        "domain_xml:devices/disk[vda]/driver/metadata_cache/max_size/text()": str(size),
    }


@pytest.mark.parametrize(
    ("virtual", "cluster", "extended"),
    [(256 * GIB, 64 * KIB, False), (128 * GIB, 64 * KIB, True), (4096 * GIB, 1 * MIB, False)],
)
def test_tables_that_fit_the_default_cache_are_right(virtual: int, cluster: int, extended: bool) -> None:
    image = an_image(virtual_bytes=virtual, cluster_bytes=cluster, extended_l2=extended)
    assert silent(RULE, HOST, holding(a_domain(devices=a_disk()), vda=image), goal="latency")


@pytest.mark.parametrize(("unit", "size", "fits"), [("MiB", 65, True), ("KiB", 65536 + 255, False), ("MiB", 64, False)])
def test_a_cache_that_was_set_keeps_four_clusters_for_refcounts(unit: str, size: int, fits: bool) -> None:
    disk = a_disk(inside_driver=CACHED.format(unit=unit, size=size))
    domain = holding(a_domain(devices=disk), vda=an_image(virtual_bytes=512 * GIB))
    assert silent(RULE, HOST, domain, goal="latency") is fits


def test_following_it_silences_it() -> None:
    guest = a_guest(devices=a_disk())
    image = an_image(virtual_bytes=3000 * GIB + 1)
    finding = found(RULE, HOST, holding(guest.domain, vda=image), goal="latency")
    after = guest.following(finding.wants)
    assert silent(RULE, HOST, holding(after.domain, vda=image), goal="latency")


def test_an_old_libvirt_is_told_what_it_lacks() -> None:
    host = storage_host(libvirt="6.10.0")
    finding = found(
        RULE, host, holding(a_domain(devices=a_disk()), vda=an_image(virtual_bytes=512 * GIB)), goal="latency"
    )
    assert (finding.safety, finding.severity) == (Safety.MANUAL, Severity.INFO)
    assert finding.note is not None and "needs libvirt 7.0.0, here is 6.10.0" in finding.note


def test_a_transient_guest_is_left_to_a_person() -> None:
    domain = holding(transient(a_domain(devices=a_disk())), vda=an_image(virtual_bytes=512 * GIB))
    assert found(RULE, HOST, domain, goal="latency").safety is Safety.MANUAL


@pytest.mark.parametrize("disk", [a_disk(format="raw"), a_disk(more="<readonly/>"), a_disk(device="cdrom")])
def test_other_disks_are_left_alone(disk: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=disk), goal="latency")


def test_an_image_that_is_not_seen_hides_no_other() -> None:
    domain = a_domain(devices=a_disk() + a_disk("vdb") + a_disk("vdc"))
    domain = holding(domain, vda=Gap("images[/a]", "needs root"), vdb=an_image(virtual_bytes=512 * GIB))
    result = judged(RULE, HOST, domain, goal="latency")
    assert [one.subject for one in result.findings] == ["domain/guest/disk/vdb"]
    (unseen,) = result.not_checked
    assert "needs root" in unseen.reason and "images[vdc]" in unseen.reason


def test_without_libvirt_the_version_is_not_known() -> None:
    domain = holding(a_domain(devices=a_disk()), vda=an_image(virtual_bytes=512 * GIB))
    assert judged(RULE, changed(HOST, hypervisor=None), domain, goal="latency").not_checked


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, holding(a_domain(devices=a_disk()), vda=an_image(virtual_bytes=512 * GIB)), goal=goal)


@pytest.mark.parametrize(
    ("requests", "size", "severity", "sure"),
    [
        (100.0, 64 * KIB, Severity.MEDIUM, Sure.CERTAIN),
        (100.0, 65 * KIB, Severity.MEDIUM, Sure.LIKELY),
        (99.0, 4 * KIB, Severity.LOW, Sure.LIKELY),
        (0.0, 0, Severity.LOW, Sure.LIKELY),
    ],
)
def test_many_small_requests_make_it_certain(requests: float, size: int, severity: Severity, sure: Sure) -> None:
    domain = holding(a_domain(devices=a_disk()), vda=an_image(virtual_bytes=512 * GIB))
    disk = a_disk_load(reads_per_second=requests, read_bytes_per_second=requests * size)
    finding = found(RULE, HOST, domain, goal="latency", load=a_window(a_guest_load(disks=[disk])))
    assert (finding.severity, finding.sure) == (severity, sure)
