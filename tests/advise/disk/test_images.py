"""Which disks have an image on this host, and the SCSI controller that a disk hangs on."""

from __future__ import annotations

from kvmnb.advise.disk.images import image_disks, path_of, qcow2_disks
from kvmnb.advise.disk.scsi import controller_of, controller_path
from tests.advise.disk.builders import IMAGES, a_disk, scsi_controller
from tests.builders import a_domain

SATA = "    <controller type='sata' index='1'/>\n"
UNNUMBERED = "    <controller type='scsi' model='virtio-scsi'/>\n"


def test_files_and_block_devices_that_are_written_are_images() -> None:
    devices = (
        a_disk("vda")
        + a_disk("vdb", kind="block", format="raw")
        + a_disk("vdc", kind="network", format="qcow2")
        + a_disk("vdd", more="<readonly/>")
        + a_disk("vde", format="raw")
        + a_disk("sda", device="cdrom")
    )
    guest = a_domain(devices=devices)
    assert [(disk.target, path_of(disk)) for disk in image_disks(guest)] == [
        ("vda", f"{IMAGES}/vda.img"),
        ("vdb", "/dev/nvme0n1"),
        ("vde", f"{IMAGES}/vde.img"),
    ]
    assert [disk.target for disk in qcow2_disks(guest)] == ["vda"]
    assert [path_of(disk) for disk in guest.wanted.devices.disks if disk.target == "vdc"] == [""]


def test_a_disk_without_a_source_has_no_image() -> None:
    empty = a_disk("vda").replace(f"<source file='{IMAGES}/vda.img'/>", "")
    assert list(image_disks(a_domain(devices=empty))) == []


def controllers(*devices: str, address: int | None = None) -> list[str | None]:
    """The path of the controller of each disk."""
    more = f"<address type='drive' controller='{address}' bus='0' target='0' unit='0'/>" if address is not None else ""
    wanted = a_domain(devices=a_disk("sda", bus="scsi", more=more) + a_disk("vda") + "".join(devices)).wanted
    found = [controller_of(disk, wanted) for disk in wanted.devices.disks]
    return [None if one is None else controller_path(one) for one in found]


def test_a_scsi_disk_hangs_on_the_controller_of_its_address() -> None:
    zero, one = scsi_controller(index=0), scsi_controller(index=1)
    assert controllers(SATA, zero, one, address=1) == ["devices/controller[scsi][1]", None]
    assert controllers(one, zero, address=0) == ["devices/controller[scsi][0]", None]
    assert controllers(one, zero) == ["devices/controller[scsi][0]", None]
    assert controllers(zero, address=1) == [None, None]
    assert controllers(SATA, address=1) == [None, None]


def test_a_controller_without_a_number_is_the_first() -> None:
    assert controllers(UNNUMBERED) == ["devices/controller[scsi][0]", None]
    assert controllers(UNNUMBERED, address=1) == [None, None]
