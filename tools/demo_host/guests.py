"""The eight guests: what the host knows of each beside its XML."""

from __future__ import annotations

from dataclasses import dataclass

IMAGES = "/var/lib/libvirt/images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One guest; its inactive XML stands in the recording and is the source of its live one."""

    name: str
    uuid: str
    id: int | None
    """libvirt's number of the running guest; None where it is shut off."""
    autostart: bool = True
    taps: tuple[tuple[str, str, str, int], ...] = ()
    """For each NIC in order: the tap, the guest's MAC, the bridge, the queues."""
    vnc_port: int = 0
    serial: int = 0
    """The number of its pseudo-terminal."""
    chain: tuple[str, ...] = ()
    """The backing files of its first disk, from the top down."""
    differs: tuple[tuple[str, str], ...] = ()
    """Texts of the inactive XML and what stands there in the live one."""


GUESTS = (
    Guest(
        name="db01",
        uuid="8d0b1c53-6f0a-4b7e-9a41-2f6f3c1d7e10",
        id=1,
        vnc_port=5900,
        serial=1,
        taps=(("vnet0", "52:54:00:3a:10:01", "br0", 1),),
    ),
    Guest(
        name="cache01",
        uuid="3f5e7a92-1c4d-4e08-b6d7-90a1c8e2f411",
        id=2,
        vnc_port=5901,
        serial=2,
        taps=(("vnet1", "52:54:00:3a:10:02", "br0", 4),),
    ),
    Guest(
        name="router01",
        uuid="b1c92f6e-53a7-4d1f-8e35-7d40ab96c512",
        id=3,
        vnc_port=5902,
        serial=3,
        taps=(("vnet2", "52:54:00:3a:10:03", "br0", 1), ("vnet3", "52:54:00:3a:11:03", "br1", 8)),
    ),
    # Memory was raised from 8 to 12 GiB in the configuration; the guest has not been stopped since.
    Guest(
        name="web01",
        uuid="c47a0de1-29b8-4f63-a5c0-1e8b7d3f9613",
        id=4,
        vnc_port=5903,
        serial=4,
        taps=(("vnet4", "52:54:00:3a:10:04", "br0", 1),),
        differs=(("emory unit='KiB'>12582912<", "emory unit='KiB'>8388608<"),),
    ),
    Guest(
        name="mail01",
        uuid="17f84a5b-c0d2-4e79-8b63-d52e9f10c716",
        id=5,
        vnc_port=5904,
        serial=5,
        taps=(("vnet5", "52:54:00:3a:10:07", "br0", 1),),
    ),
    Guest(
        name="build01",
        uuid="e96d3c04-7f1b-4826-9d5e-a80c4b72f115",
        id=8,
        vnc_port=5905,
        serial=6,
        autostart=False,
        taps=(("vnet8", "52:54:00:3a:10:06", "br0", 1),),
        chain=(f"{IMAGES}/build01.snap2", f"{IMAGES}/build01.snap1", f"{IMAGES}/build01.qcow2"),
    ),
    Guest(
        name="win10",
        uuid="5e20b7f8-84c3-4a9d-b1f2-6c97d05e3a14",
        id=11,
        vnc_port=5906,
        serial=7,
        autostart=False,
        taps=(("vnet11", "52:54:00:3a:10:05", "br0", 1),),
    ),
    Guest(name="dwh01", uuid="a2b5c8d1-6e3f-4097-95a4-3b7e1f8c2017", id=None, autostart=False),
)

RUNNING = tuple(guest for guest in GUESTS if guest.id is not None)
