"""Where the guests' images lie on this host."""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.storage import Mount


def image_mounts(view: View) -> Iterator[tuple[Mount, tuple[str, ...]]]:
    """Each mount that holds images of guests, with the images that they write, in the order of the mounts."""
    files = sorted({disk.file for domain in view.domains for disk in _disks(domain) if disk.file is not None})
    found: dict[int, tuple[Mount, list[str]]] = {}
    for file in files:
        mount = view.location_of(file).mount
        if mount is not None:
            found.setdefault(mount.id, (mount, []))[1].append(file)
    for mount, held in sorted(found.values(), key=lambda pair: pair[0].id):
        yield mount, tuple(held)


def in_short(files: tuple[str, ...]) -> str:
    """The first images by name, and how many more there are.

    >>> in_short(("/a", "/b", "/c", "/d"))
    '/a, /b, /c and 1 more'
    """
    shown = ", ".join(files[:3])
    return f"{shown} and {len(files) - 3} more" if len(files) > 3 else shown


def _disks(domain: Domain) -> Iterator[Disk]:
    for disk in domain.wanted.devices.disks:
        if disk.type == "file" and disk.device == "disk" and not disk.readonly:
            yield disk
