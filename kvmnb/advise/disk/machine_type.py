"""Which QEMU's defaults a machine type keeps."""

from __future__ import annotations

import re

from kvmnb.facts.gap import Gap, NotSeen

_PLAIN = re.compile(r"-(\d+\.\d+)(?:\.\d+)?(?:-hpb|-sxxm|-usb-modern)*\Z")
_RED_HAT = re.compile(r"-rhel(\d+)\.(\d+)\.\d+\Z")
# Red Hat's machine types and the QEMU whose defaults they keep: hw/core/machine.c of its packages.
_RED_HAT_QEMU = {
    (8, 0): "3.1", (8, 1): "4.1", (8, 2): "4.2", (8, 3): "5.1", (8, 4): "5.2", (8, 5): "6.0", (8, 6): "6.2",
}  # fmt: skip
# Ubuntu's machine types bear the name of its release.
_UBUNTU_QEMU = {
    "trusty": "2.0", "xenial": "2.5", "bionic": "2.11", "focal": "4.2", "jammy": "6.2", "noble": "8.2",
}  # fmt: skip
_WITHOUT_VERSION = re.compile(r"(?:pc|q35|virt|microvm|pseries|s390-ccw-virtio)\Z")


def defaults_of(machine: str | None, qemu: str | None) -> str:
    """The QEMU version whose defaults the machine type keeps; NotSeen for a name that tells none.

    A name without a version stands for the newest of the host's QEMU.

    >>> defaults_of("pc-q35-5.1", "7.2.0"), defaults_of("pc-i440fx-rhel7.6.0", None), defaults_of("q35", "7.2.0")
    ('5.1', '2.12', '7.2.0')
    """
    name = machine or "pc"
    if found := _PLAIN.search(name):
        return found[1]
    if found := _RED_HAT.search(name):
        release = int(found[1]), int(found[2])
        return _RED_HAT_QEMU.get(release, "2.12" if release < (8, 0) else "6.2")
    ubuntu = next((version for word, version in _UBUNTU_QEMU.items() if f"-{word}" in name), None)
    if ubuntu is not None:
        return ubuntu
    if qemu is not None and _WITHOUT_VERSION.fullmatch(name):
        return qemu
    raise NotSeen(Gap("machine", f"which QEMU's defaults the machine type {name[:60]!r} keeps is not known"))
