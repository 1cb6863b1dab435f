"""Guests of the lab that are tuned badly in many ways, on purpose."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml, nic_xml

SAID = """\
[guest.emulated-{tag}]
os = "linux"
policy = "floating"

[guest.virtio-{tag}]
os = "linux"
policy = "floating"

[guest.windows-{tag}]
os = "windows"
policy = "floating"

[guest.pinned-{tag}]
os = "linux"
policy = "dedicated"
"""
"""What kvmnb.toml says of them: a person's word is the proof that a guest has virtio drivers."""

NO_OFFLOADS = "<host csum='off' gso='off' tso4='off' tso6='off'/><guest csum='off' tso4='off' tso6='off'/>"
CARD = "<model type='virtio'/><driver queues='4' tx_queue_size='1024'>"


def options(lab: Lab) -> dict[str, dict[str, Any]]:
    """Each guest's options of ``domain_xml``, by the first word of its name."""
    return {
        "emulated": {
            "vcpus": 2,
            "machine": "pc",
            "devices": (
                disk_xml(image(lab, "emulated", "hda"), "hda", "ide"),
                "<controller type='scsi' index='0' model='lsilogic'/>",
                disk_xml(image(lab, "emulated", "sda"), "sda", "scsi"),
                nic_xml("e1000"),
            ),
        },
        "virtio": {
            "vcpus": 2,
            "devices": (
                disk_xml(image(lab, "virtio", "vda"), "vda", "virtio", "cache='writeback' queues='1'"),
                disk_xml(image(lab, "virtio", "vdb"), "vdb", "virtio", "cache='unsafe' io='threads'"),
                disk_xml(image(lab, "virtio", "vdc"), "vdc", "virtio", "cache='none' detect_zeroes='on'"),
                _qcow2(image(lab, "virtio", "vdd"), "vdd", "cache='none' io='native'"),
                f"<interface type='ethernet'>{CARD}{NO_OFFLOADS}</driver></interface>",
            ),
        },
        "windows": {
            "vcpus": 3,
            "devices": (disk_xml(image(lab, "windows", "sda"), "sda", "sata"), nic_xml("rtl8139")),
        },
        "pinned": {
            "vcpus": 1,
            "domain": ("<iothreads>1</iothreads>", "<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>"),
            "devices": (disk_xml(image(lab, "pinned", "vda"), "vda", "virtio", "cache='none' iothread='1'"),),
        },
    }


def image(lab: Lab, guest: str, target: str) -> Path:
    """The image of a guest's disk, made where it is not there yet; the guest is named by its first word."""
    path = lab.root / f"{guest}-{target}.img"
    return path if path.exists() else lab.disk(path.stem)


def _qcow2(path: Path, target: str, driver: str) -> str:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "64M"], check=True, timeout=60)
    return disk_xml(path, target, "virtio", driver).replace("type='raw'", "type='qcow2'")
