"""A domain's devices, from its XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kvmnb.facts.device import (
    Balloon,
    Channel,
    Controller,
    Devices,
    Disk,
    Filesystem,
    Hostdev,
    Interface,
    MemoryDevice,
    Other,
)
from kvmnb.facts.gap import Fact
from kvmnb.probe.element import read_element

if TYPE_CHECKING:
    from lxml.etree import _Element

F = TypeVar("F", bound=Fact)

_COUNTED = ("input", "graphics", "video", "sound", "watchdog", "iommu", "rng", "tpm", "panic", "vsock", "redirdev")


def read_devices(root: _Element, fact: str) -> Devices:
    """All devices of one configuration."""
    devices = root.find("devices")
    balloon = None if devices is None else devices.find("memballoon")
    return Devices(
        disks=_all(Disk, devices, "disk", fact),
        controllers=_all(Controller, devices, "controller", fact),
        interfaces=_all(Interface, devices, "interface", fact),
        channels=_all(Channel, devices, "channel", fact),
        hostdevs=_all(Hostdev, devices, "hostdev", fact),
        memory=_all(MemoryDevice, devices, "memory", fact),
        filesystems=_all(Filesystem, devices, "filesystem", fact),
        balloon=None if balloon is None else read_element(Balloon, balloon, f"{fact}.balloon"),
        others=tuple(
            read_element(Other, element, f"{fact}.others[{position}]", kind=str(element.tag))
            for position, element in enumerate(() if devices is None else devices)
            if element.tag in _COUNTED
        ),
    )


def _all(kind: type[F], devices: _Element | None, name: str, fact: str) -> tuple[F, ...]:
    found = [] if devices is None else devices.findall(name)
    return tuple(read_element(kind, one, f"{fact}.{name}[{position}]") for position, one in enumerate(found))
