"""The card of a guest's disks tells each layer that a write falls through."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.host import Host
from kvmnb.show.cards import blocks, disk_path
from kvmnb.show.cards.disk_path import DiskPaths
from kvmnb.verbs import Here
from tests.builders import a_domain

PASSED_ON = "flushes of the guest are passed on"
NATIVE = "native: the kernel's asynchronous I/O"


def layers(paths: DiskPaths, number: int = 0) -> dict[str, str]:
    return {row.label: row.cells[number].text for row in disk_path.rows(paths)}


def shown(here: Here, name: str) -> DiskPaths:
    paths = here.disks(name)
    assert isinstance(paths, DiskPaths)
    return paths


def a_disk(driver: str = "", target: str = "dev='vda' bus='virtio'", more: str = "") -> str:
    return (
        f"<disk type='file' device='disk'><driver name='qemu' type='raw' {driver}/>"
        f"<source file='/srv/bulk/a.img'/><target {target}/>{more}</disk>"
    )


def of(host: Host, devices: str, **words: Any) -> dict[str, str]:
    return layers(DiskPaths(host, a_domain(devices=devices, **words)))


def test_an_emulated_disk_on_a_spinning_one(pictured: Here) -> None:
    assert layers(shown(pictured, "mail01")) == {
        "Device": "a disk",
        "Bus": "IDE, an emulated controller",
        "Queues": "no virtqueues: emulated",
        "Served by": "QEMU's main loop",
        "Limits": "none",
        "Host page cache": "writethrough: used, and every write is flushed",
        "Asks the kernel by": "not named, so threads: worker threads wait for each request",
        "What the guest frees": "discard not named, so ignore",
        "Format": "raw",
        "Image": "/srv/bulk/mail01.img",
        "File system": "xfs at /srv/bulk, relatime",
        "Devices, downwards": "sdb1 → sdb (SATA spinning disk)",
        "Scheduler": "sdb: none",
        "The device's own cache": "sdb: flushes empty it",
    }
    assert layers(shown(pictured, "mail01"), 1)["Scheduler"] == "–", "nothing is inserted in the CD-ROM"


def test_a_logical_volume_is_followed_to_its_device(pictured: Here) -> None:
    told = layers(shown(pictured, "db01"))
    assert (told["File system"], told["Devices, downwards"], told["Served by"]) == (
        "none: a block device",
        "vg_fast-db01--root (lvm) → nvme0n1 (NVMe)",
        "iothread 1",
    )


def test_images_below_are_counted_where_only_the_xml_tells(pictured: Here) -> None:
    paths = shown(pictured, "build01")
    assert layers(paths)["Format"] == "qcow2, 3 images below it (XML)"
    assert [cell.later for row in disk_path.rows(paths) for cell in row.cells] == [None] * 28


@pytest.mark.parametrize(
    ("disk", "label", "said"),
    [
        (a_disk("cache='unsafe'"), "Host page cache", "unsafe: used, and flushes of the guest are dropped"),
        (
            a_disk("cache='default'"),
            "Host page cache",
            "not named, so writeback: used; flushes of the guest are passed on",
        ),
        (
            a_disk("io='native'"),
            "Asks the kernel by",
            "native: the kernel's asynchronous I/O; refused with this cache mode",
        ),
        (a_disk("cache='none' io='native'"), "Asks the kernel by", NATIVE),
        (a_disk("queues='4'"), "Queues", "4 queues"),
        (a_disk("discard='unmap' detect_zeroes='unmap'"), "What the guest frees", "discard unmap, detect_zeroes unmap"),
        (
            a_disk(
                more="<iotune><total_iops_sec>500</total_iops_sec><write_bytes_sec>1048576</write_bytes_sec></iotune>"
            ),
            "Limits",
            "500 requests/s, 1 MiB/s written",
        ),
        (a_disk(target="dev='sda' bus='scsi'"), "Bus", "SCSI, on the controller that QEMU chooses"),
        (
            a_disk(target="dev='sda' bus='scsi'") + "<controller type='scsi' index='0' model='virtio-scsi'>"
            "<driver queues='2' iothread='1'/></controller>",
            "Served by",
            "iothread 1",
        ),
    ],
)
def test_each_setting_has_its_words(pictured: Here, disk: str, label: str, said: str) -> None:
    assert of(pictured.host, disk)[label] == said


def test_what_the_next_start_changes_is_marked(pictured: Here) -> None:
    domain = a_domain(devices=a_disk("cache='none'"), live={"devices": a_disk("cache='writeback'")})
    (row,) = (row for row in disk_path.rows(DiskPaths(pictured.host, domain)) if row.label == "Host page cache")
    assert row.cells[0].later == "none: not used; flushes of the guest are passed on"
    assert "◆ at its next start: none" in disk_path.html(DiskPaths(pictured.host, domain))


def test_what_was_not_seen_of_the_host_says_so(pictured: Here) -> None:
    blind = changed(pictured.host, mounts=Gap("host.mounts", "no right"))
    assert of(blind, a_disk())["File system"] == "not seen: no right"


def test_a_guest_without_disks_says_so(pictured: Here) -> None:
    paths = DiskPaths(pictured.host, a_domain("bare"))
    assert disk_path.text(paths) == "Guest bare has no disk."
    assert "This guest has no disk." in disk_path.html(paths)


def test_all_guests_disks_are_one_table(pictured: Here) -> None:
    several = pictured.disks()
    assert isinstance(several, tuple)
    html = disk_path.table(several)
    assert html.count('<th scope="row">') == 12
    assert "unsafe: used, and flushes of the guest are dropped" in html


def test_block_devices_are_one_table(pictured: Here) -> None:
    text = blocks.table_text(pictured.host.blocks)
    assert "sdb: SATA spinning disk, ST8000NM000A-2KE, 7.277 TiB, scheduler none" in text
    html = blocks.table(pictured.host.blocks)
    assert html.count('<th scope="row">') == 7
    assert "mq-deadline, kyber, bfq" in html
