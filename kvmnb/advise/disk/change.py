"""A guest's disks that tuning is about, and what should be changed of one as a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kvmnb.advise.cpu.pins import restart_cost
from kvmnb.advise.finding import Safety, Seen, Severity, Sure
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.storage import Location
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.tunable import Want

# libvirt's guess where the target names no bus, by the first letters of its name.
_BUSES = {"hd": "ide", "sd": "scsi", "vd": "virtio", "fd": "fdc"}
DIRECT = ("none", "directsync")
VIRT_TYPES = ("kvm", "qemu")


def data_disks(config: Configuration) -> Iterator[Disk]:
    """The disks that the guest writes; no CD-ROMs, no floppies, nothing that is only read."""
    if config.virt_type not in VIRT_TYPES:
        return
    for disk in config.devices.disks:
        if disk.device in ("disk", "lun") and not disk.readonly:
            yield disk


def bus_of(disk: Disk) -> str | None:
    """The bus, also where libvirt has to guess it from the target's name."""
    return disk.bus if disk.bus is not None else _BUSES.get(disk.target[:2])


def location(disk: Disk, view: View) -> Location:
    """What the disk's file or block device lies on; nothing for other sources."""
    path = disk.file if disk.type == "file" else disk.block if disk.type == "block" else None
    return view.location_of(path) if path is not None else Location(None, ())


def subject(disk: Disk) -> str:
    """The disk as a finding names it."""
    return f"disk/{percent_encode(disk.target)}"


def disk_want(domain: Domain, disk: Disk, path: str, value: str | None) -> Want:
    """A setting of one disk in the persistent configuration; ``path`` begins below ``disk``."""
    return Want(DomainXml(domain.name, domain.uuid, f"devices/disk[{percent_encode(disk.target)}]/{path}"), value)


def at_next_start(
    domain: Domain,
    disk: Disk,
    saw: str,
    values: Mapping[str, str | None],
    *,
    more: tuple[Want, ...] = (),
    costs: tuple[str, ...] = (),
    severity: Severity | None = None,
    sure: Sure = Sure.CERTAIN,
    note: str | None = None,
) -> Seen:
    """A finding that wants these settings of the disk, or that leaves them to a person where it must."""
    where = "persistent XML" if domain.inactive is not None else "live XML"
    if domain.inactive is None:
        said = ", ".join(f"{path} {value!r}" if value is not None else f"no {path}" for path, value in values.items())
        return Seen(
            saw=f"disk {disk.target}: {saw} ({where})",
            safety=Safety.MANUAL,
            by_hand=(f"virsh dumpxml {shell_word(domain.name)}  # make it anew with {said} of disk {disk.target}",),
            note="a guest that exists only while it runs keeps its disks until it is made anew",
            severity=severity,
            sure=sure,
            subject=subject(disk),
        )
    paid = (*restart_cost(domain), *costs)
    return Seen(
        saw=f"disk {disk.target}: {saw} ({where})",
        wants=(*more, *(disk_want(domain, disk, path, value) for path, value in values.items())),
        safety=Safety.DISRUPTIVE if paid else Safety.SAFE,
        costs=paid,
        severity=severity,
        sure=sure,
        note=note,
        subject=subject(disk),
    )
