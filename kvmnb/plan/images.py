"""Whether the images of a guest that is shut off are there, and held by nobody else.

No plan changes what a disk's source is, so a trouble found here is told and stops nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.machine.machine import Machine
from kvmnb.plan.check import Check, Outcome
from kvmnb.plan.edited import EditedDomain


def images(edited: EditedDomain, machine: Machine, domains: Sequence[Domain]) -> Iterator[Check]:
    """The check ``images``: by path, by libvirt's other running guests, and by the kernel's table of locks."""
    name = edited.domain.name
    if machine.kind != "live" or machine.files is None or edited.domain.running:
        return
    locked = _locked_files(machine)
    checked = 0
    for disk in edited.after.devices.disks:
        path = disk.file or disk.block
        if path is None or disk.device not in ("disk", "lun"):
            continue
        checked += 1
        trouble = _trouble(path, disk, locked, [one for one in domains if one.name != name])
        if trouble is not None:
            yield Check("images", name, trouble[0], f"The image {path} of disk {disk.target} {trouble[1]}.")
            return
    if checked:
        said = "Its images are there, and neither a running guest of this host nor another process holds them."
        yield Check("images", name, Outcome.PASSED, said)


def _trouble(
    path: str, disk: Disk, locked: frozenset[tuple[int, int, int]] | None, others: Sequence[Domain]
) -> tuple[Outcome, str] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return Outcome.TOLD, "is not there, so the guest would not start; put it back or take the disk out"
    except OSError as problem:
        return Outcome.UNKNOWN, f"could not be looked at ({problem.strerror}), so its locks were not checked"
    if disk.shareable or disk.readonly:
        return None
    holder = next((one.name for one in others if one.running and path in _written_by(one)), None)
    if holder is not None:
        return Outcome.TOLD, f"is written by the running guest {holder!r}, so this one would not start beside it"
    key = (os.major(found.st_dev), os.minor(found.st_dev), found.st_ino)
    if locked is None:
        return Outcome.UNKNOWN, "may be locked: /proc/locks was not read"
    if key in locked:
        return Outcome.TOLD, "is locked by another process (see `lslocks`), so the guest would not start now"
    return None


def _written_by(domain: Domain) -> set[str | None]:
    try:
        disks = domain.live.devices.disks if domain.live is not None else ()
    except NotSeen:
        return set()
    return {disk.file or disk.block for disk in disks if not disk.readonly and not disk.shareable}


def _locked_files(machine: Machine) -> frozenset[tuple[int, int, int]] | None:
    """Major, minor and inode of each file that somebody holds a lock on."""
    try:
        text = machine.tree.read("proc/locks")
    except (OSError, ValueError):
        return None
    found = re.findall(r" ([0-9a-f]{2,}):([0-9a-f]{2,}):([0-9]+) ", text)
    return frozenset((int(major, 16), int(minor, 16), int(inode)) for major, minor, inode in found)
