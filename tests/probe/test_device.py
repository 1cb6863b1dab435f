from __future__ import annotations

import pytest

from kvmnb.core.units import GIB, MIB
from kvmnb.facts.device import Controller, Disk, Interface, Iommu, MemoryDevice
from kvmnb.facts.gap import Gap, NotSeen
from tests.builders import a_fact
from tests.probe.whole_domain import RARE, read, with_devices


def test_a_disk_is_read_whole() -> None:
    (disk,) = read(RARE).devices.disks
    assert disk == a_fact(
        Disk,
        target="sda",
        device="lun",
        type="block",
        bus="scsi",
        block="/dev/mapper/a",
        format="raw",
        raw_io=True,
        scsi_passthrough="unfiltered",
        read_error_policy="report",
        queues=4,
        queue_size=256,
        statistics=True,
        iothreads_mapped=True,
        l2_cache_bytes=8 * MIB,
        reservations=True,
        throttle_filters=True,
        transient=True,
    )


def test_a_controller_and_an_interface_are_read_whole() -> None:
    devices = read(RARE).devices
    assert devices.controllers == (
        a_fact(
            Controller,
            type="scsi",
            index=0,
            model="virtio-scsi",
            queues=4,
            queue_size=512,
            cmd_per_lun=64,
            max_sectors=512,
            iothreads_mapped=True,
        ),
    )
    off = dict.fromkeys(
        [*(f"host_{name}" for name in ("csum", "gso", "tso4", "tso6", "ecn", "ufo", "mrg_rxbuf")), "event_idx"]
        + [f"guest_{name}" for name in ("csum", "tso4", "tso6", "ecn", "ufo")],
        False,
    )
    assert devices.interfaces == (
        a_fact(
            Interface,
            type="bridge",
            mac="52:54:00:00:00:01",
            bridge="br0",
            model="virtio",
            isolated=True,
            driver="vhost",
            coalesce_frames=7,
            inbound_kib_per_second=1000,
            inbound_peak_kib_per_second=2000,
            inbound_floor_kib_per_second=100,
            outbound_kib_per_second=3000,
            outbound_peak_kib_per_second=4000,
            **off,
        ),
    )


def test_the_other_devices_are_read() -> None:
    devices = read(RARE).devices
    assert devices.memory == (
        a_fact(
            MemoryDevice,
            model="virtio-mem",
            size_bytes=2 * GIB,
            node=0,
            block_bytes=2 * MIB,
            requested_bytes=512 * MIB,
            current_bytes=256 * MIB,
        ),
    )
    assert devices.iommu == a_fact(Iommu, model="intel", interrupt_remapping=True, extended_interrupts=True)
    assert devices.balloon is not None
    assert (devices.balloon.autodeflate, devices.balloon.stats_period_seconds) == (True, 10)
    assert [one.kind for one in devices.others] == ["watchdog", "video"]
    (watchdog,) = devices.others_of("watchdog")
    (video,) = devices.others_of("video")
    assert (watchdog.model, watchdog.action) == ("itco", "reset")
    assert (video.video, video.heads, video.accelerated) == ("virtio", 2, True)


def test_a_domain_without_devices_has_none() -> None:
    devices = read("<domain type='kvm'><name>a</name><memory>1</memory></domain>").devices
    assert (devices.disks, devices.interfaces, devices.others) == ((), (), ())
    assert devices.balloon is None
    assert devices.iommu is None


def test_absent_words_have_libvirts_defaults() -> None:
    (disk,) = with_devices("<disk><target dev='vda'/></disk>").devices.disks
    assert disk == a_fact(Disk, target="vda", device="disk", type="file")


def test_a_value_that_cannot_be_understood_is_a_gap_of_that_field_alone() -> None:
    (disk,) = with_devices("<disk><driver queues='many' cache='none'/><target dev='vda'/></disk>").devices.disks
    assert disk.cache == "none"
    assert disk.gap_of("queues") == Gap(
        "domains[a].devices.disks[0].queues", "driver/@queues: 'many' is not a whole number"
    )
    with pytest.raises(NotSeen):
        _ = disk.queues


def test_a_disk_without_a_target_is_a_gap() -> None:
    (disk,) = with_devices("<disk type='file'/>").devices.disks
    assert disk.gap_of("target") == Gap("domains[a].devices.disks[0].target", "the XML has no target/@dev")


@pytest.mark.parametrize(("unit", "size"), [("", 4096), (" unit='KiB'", 4096 * 1024), (" unit='bytes'", 4096)])
def test_the_qcow2_cache_counts_bytes_where_no_unit_is_named(unit: str, size: int) -> None:
    (disk,) = with_devices(
        f"<disk><driver><metadata_cache><max_size{unit}>4096</max_size></metadata_cache></driver>"
        "<target dev='vda'/></disk>"
    ).devices.disks
    assert disk.l2_cache_bytes == size


@pytest.mark.parametrize(
    ("chain", "depth"),
    [
        ("", 0),
        ("<backingStore/>", 0),
        ("<backingStore type='file'><source file='b'/><backingStore/></backingStore>", 1),
        ("<backingStore><source file='b'/><backingStore><source file='c'/></backingStore></backingStore>", 2),
    ],
)
def test_the_images_below_a_disk_are_counted(chain: str, depth: int) -> None:
    (disk,) = with_devices(f"<disk><target dev='vda'/>{chain}</disk>").devices.disks
    assert disk.backing_chain == depth


def test_a_chain_without_end_costs_nothing() -> None:
    # libxml2 itself refuses elements deeper than 256.
    deep = "<backingStore><source file='x'/>" * 200 + "</backingStore>" * 200
    (disk,) = with_devices(f"<disk><target dev='vda'/>{deep}</disk>").devices.disks
    assert disk.backing_chain == 200


def test_comments_and_instructions_among_the_devices_are_no_devices() -> None:
    devices = with_devices(
        "<!-- a --><?b c?><disk><target dev='vda'/><!-- d --></disk><?e?><rng model='virtio'/>"
    ).devices
    assert [one.target for one in devices.disks] == ["vda"]
    assert [one.kind for one in devices.others] == ["rng"]


def test_the_first_of_several_like_elements_counts() -> None:
    (disk,) = with_devices(
        "<disk><driver cache='none'/><driver cache='unsafe'/><target dev='vda'/></disk>"
    ).devices.disks
    assert disk.cache == "none"
