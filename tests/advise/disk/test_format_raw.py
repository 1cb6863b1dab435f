"""disk.format.raw: an image is qcow2, and nothing that qcow2 can do is used."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.core.units import GIB
from kvmnb.facts.domain import State
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from tests.advise.disk.builders import a_block, a_disk, a_mount, an_image, holding, storage_host
from tests.builders import a_domain, a_fact, found, judged, silent

RULE = "disk.format.raw"
LVM = storage_host(a_block("dm-0", type="lvm", dm_name="vg-images"), mounts=(a_mount(device="dm-0"),))
SECRET = "<secret type='passphrase' uuid='0e4a6f3c-5d2b-4a1e-9c8d-7b6a59483726'/>"
FULL: dict[str, Any] = {"actual_bytes": 100 * GIB}


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize(
    ("host", "store"),
    [
        (LVM, "the logical volume vg-images"),
        (storage_host(mounts=(a_mount(fs_type="zfs", device=None),)), "zfs"),
        (storage_host(mounts=(a_mount(fs_type="btrfs"),)), "btrfs"),
        (storage_host(mounts=(a_mount(fs_type="ceph", device=None),)), "ceph"),
        (storage_host(a_block("rbd0"), mounts=(a_mount(device="rbd0"),)), "the volume rbd0"),
    ],
)
def test_qcow2_for_nothing_is_told(host: Host, store: str, goal: str) -> None:
    finding = found(RULE, host, holding(a_domain(devices=a_disk()), vda=an_image(**FULL)), goal=goal)
    assert (finding.severity, finding.safety) == (Severity.INFO, Safety.MANUAL)
    assert f"on {store}," in finding.saw
    assert finding.by_hand[0] == "virsh blockcopy guest vda NEW --format raw --pivot --wait --verbose"


def test_a_guest_that_is_shut_off_is_converted() -> None:
    finding = found(RULE, LVM, holding(a_domain(running=False, devices=a_disk()), vda=an_image(**FULL)), goal="latency")
    assert finding.by_hand[0].startswith("qemu-img convert")


@pytest.mark.parametrize(
    "known",
    [
        {"actual_bytes": 99 * GIB},
        {"backing_file": "/b", "backing_format": "qcow2"},
        {"snapshots": 1},
        {"bitmaps": 1},
        {"encrypted": True},
        {"data_file": "/d"},
    ],
)
def test_a_qcow2_whose_features_are_used_is_right(known: dict[str, Any]) -> None:
    assert silent(RULE, LVM, holding(a_domain(devices=a_disk()), vda=an_image(**{**FULL, **known})), goal="latency")


def test_snapshots_of_libvirt_are_a_use() -> None:
    domain = holding(a_domain(devices=a_disk()), vda=an_image(**FULL))
    assert silent(RULE, LVM, changed(domain, state=a_fact(State, snapshots=1)), goal="latency")
    assert not silent(RULE, LVM, changed(domain, state=a_fact(State, snapshots=0)), goal="latency")


def test_storage_without_snapshots_of_its_own_needs_qcow2() -> None:
    assert silent(RULE, storage_host(), holding(a_domain(devices=a_disk()), vda=an_image(**FULL)), goal="latency")


@pytest.mark.parametrize(
    "disk",
    [
        a_disk(format="raw"),
        a_disk(more=f"<encryption format='luks'>{SECRET}</encryption>"),
    ],
)
def test_other_disks_are_left_alone(disk: str) -> None:
    assert silent(RULE, LVM, holding(a_domain(devices=disk), vda=an_image(**FULL)), goal="latency")


def test_of_a_qcow2_on_a_block_device_nothing_tells_the_allocation() -> None:
    disk = a_disk(kind="block", source="/dev/vg/images")
    image = an_image(block_device=True, actual_bytes=None, space=None)
    result = judged(RULE, LVM, holding(a_domain(devices=disk), vda=image), goal="latency")
    assert "is not told" in result.not_checked[0].reason


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, LVM, holding(a_domain(devices=a_disk()), vda=an_image(**FULL)), goal=goal)
