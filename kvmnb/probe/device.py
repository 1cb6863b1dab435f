"""A domain's devices, from its XML."""

from __future__ import annotations

from collections.abc import Sequence
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
    Iommu,
    MemoryDevice,
    Other,
)
from kvmnb.facts.gap import Fact
from kvmnb.probe.element import read_element

if TYPE_CHECKING:
    from lxml.etree import _Element

F = TypeVar("F", bound=Fact)


def read_devices(root: _Element, fact: str) -> Devices:
    """All devices of one configuration."""
    by_tag: dict[str, list[_Element]] = {}
    devices = root.find("devices")
    others: list[_Element] = []
    for element in () if devices is None else devices.iterchildren("*"):
        by_tag.setdefault(str(element.tag), []).append(element)
        if element.tag not in _OWN_FACT:
            others.append(element)
    balloons, iommus = by_tag.get("memballoon"), by_tag.get("iommu")
    return Devices(
        disks=_all(Disk, by_tag.get("disk", ()), f"{fact}.disks"),
        controllers=_all(Controller, by_tag.get("controller", ()), f"{fact}.controllers"),
        interfaces=_all(Interface, by_tag.get("interface", ()), f"{fact}.interfaces"),
        channels=_all(Channel, by_tag.get("channel", ()), f"{fact}.channels"),
        hostdevs=_all(Hostdev, by_tag.get("hostdev", ()), f"{fact}.hostdevs"),
        memory=_all(MemoryDevice, by_tag.get("memory", ()), f"{fact}.memory"),
        filesystems=_all(Filesystem, by_tag.get("filesystem", ()), f"{fact}.filesystems"),
        iommu=read_element(Iommu, iommus[0], f"{fact}.iommu") if iommus else None,
        balloon=read_element(Balloon, balloons[0], f"{fact}.balloon") if balloons else None,
        others=tuple(
            read_element(Other, element, f"{fact}.others[{position}]", kind=str(element.tag))
            for position, element in enumerate(others)
        ),
    )


_OWN_FACT = frozenset(
    "emulator disk controller interface channel hostdev memory filesystem iommu memballoon".split()  # noqa: SIM905
)


def _all(kind: type[F], elements: Sequence[_Element], fact: str) -> tuple[F, ...]:
    return tuple(read_element(kind, one, f"{fact}[{position}]") for position, one in enumerate(elements))
