"""Disks as XML, and block devices and mounts as facts, for tests of rules about storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from kvmnb.core.units import GIB, KIB
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.host import Host
from kvmnb.facts.image import DiskImage, Image, Space
from kvmnb.facts.kernel import Sysctl
from kvmnb.facts.storage import BlockDevice, Mount
from tests.builders import a_fact, a_host

DEBIAN = "http://debian.org/debian/12"
WINDOWS = "http://microsoft.com/win/10"
IMAGES = "/var/lib/libvirt/images"


def a_disk(
    target: str = "vda",
    *,
    bus: str | None = "virtio",
    kind: str = "file",
    source: str | None = None,
    device: str = "disk",
    format: str = "qcow2",
    driver: str = "",
    inside_driver: str = "",
    chain: int = 0,
    more: str = "",
) -> str:
    """A disk as libvirt prints it; ``driver`` are more attributes, ``chain`` the images below its own."""
    name = {"file": "file", "block": "dev"}.get(kind)
    path = source or (f"{IMAGES}/{target}.img" if kind == "file" else "/dev/nvme0n1")
    origin = f"<source {name}='{path}'/>" if name else (source or "<source protocol='rbd' name='pool/image'/>")
    below = "".join(f"<backingStore type='file'><format type='qcow2'/><source file='/b{n}'/>" for n in range(chain))
    target_bus = f" bus='{bus}'" if bus is not None else ""
    return (
        f"    <disk type='{kind}' device='{device}'>"
        f"<driver name='qemu' type='{format}'{' ' if driver else ''}{driver}>{inside_driver}</driver>"
        f"{origin}{below}{'</backingStore>' * chain}<target dev='{target}'{target_bus}/>{more}</disk>\n"
    )


def scsi_controller(model: str | None = "virtio-scsi", *, index: int = 0, driver: str = "") -> str:
    """A SCSI controller."""
    kind = f" model='{model}'" if model is not None else ""
    inside = f"<driver {driver}/>" if driver else ""
    return f"    <controller type='scsi' index='{index}'{kind}>{inside}</controller>\n"


def a_block(name: str = "nvme0n1", **known: Any) -> BlockDevice:
    """A block device: an NVMe disk without a scheduler, unless told otherwise."""
    words: dict[str, Any] = {
        "type": "disk",
        "transport": "nvme",
        "scheduler": "none",
        "schedulers": ("none", "mq-deadline", "kyber", "bfq"),
        "hardware_queues": 8,
        "write_cache": "write back",
        "discard_max_bytes": 1 << 40,
        "zoned": "none",
    }
    return a_fact(BlockDevice, name=name, **{**words, **known})


def a_mount(
    mount_point: str = "/",
    fs_type: str = "ext4",
    device: str | None = "nvme0n1",
    options: Sequence[str] = ("rw", "relatime"),
    number: int = 1,
) -> Mount:
    """A mount; below the first one where its number is another."""
    return a_fact(
        Mount,
        id=number,
        parent=0 if number == 1 else 1,
        mount_point=mount_point,
        root="/",
        fs_type=fs_type,
        options=tuple(options),
        source=f"/dev/{device}" if device else "elsewhere",
        device=device,
    )


def storage_host(
    *blocks: BlockDevice,
    mounts: Sequence[Mount] = (),
    sysctls: dict[str, str] | None = None,
    libvirt: str = "9.0.0",
    qemu: str = "7.2.0",
) -> Host:
    """A host with these block devices and mounts; one NVMe disk with ext4 where nothing is said."""
    host = a_host(libvirt=libvirt)
    settings = tuple(a_fact(Sysctl, key=key, value=value) for key, value in (sysctls or {}).items())
    assert host.hypervisor is not None
    return changed(
        host,
        blocks=blocks or (a_block(),),
        mounts=tuple(mounts) or (a_mount(),),
        kernel=changed(host.kernel, sysctls=settings),
        hypervisor=changed(host.hypervisor, version=qemu),
    )


def an_image(**known: Any) -> Image:
    """A qcow2 image of 100 GiB, half of it taken, on a file system with room, unless told otherwise."""
    words: dict[str, Any] = {
        "path": f"{IMAGES}/vda.img",
        "format": "qcow2",
        "number": "259:1",
        "virtual_bytes": 100 * GIB,
        "actual_bytes": 50 * GIB,
        "cluster_bytes": 64 * KIB,
        "extended_l2": False,
        "space": Space(total_bytes=1000 * GIB, free_bytes=500 * GIB),
    }
    return a_fact(Image, **{**words, **known})


def holding(domain: Domain, **images: Image | Gap) -> Domain:
    """The domain with the image of each disk."""
    found = (DiskImage(target=target, image=cast(Image, image)) for target, image in images.items())
    return changed(domain, images=tuple(found))


def says_os(domain: Domain, os_id: str | None) -> Domain:
    """The domain with libosinfo's word for its system."""
    assert domain.inactive is not None
    return replace(domain, inactive=changed(domain.inactive, os_id=os_id))


def transient(domain: Domain) -> Domain:
    """The domain as one that exists only while it runs."""
    return replace(domain, persistent=False, inactive=None)
