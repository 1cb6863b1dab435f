"""The device behind a NIC: where it sits, what it interrupts, its virtual functions."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from kvmnb.facts.ethtool import Ethtool
from kvmnb.facts.gap import Gap
from kvmnb.facts.network import Sriov, Vf
from kvmnb.probe.network_values import folder, link_name, told
from kvmnb.probe.reader import Reader, gap, seen

PCI = "sys/bus/pci/devices"
_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


class Device(NamedTuple):
    """What a Nic's fields of the same names take, gaps among them."""

    driver: str | None = None
    address: str | None = None
    numa_node: int | None = None
    irqs: tuple[int, ...] = ()
    port_name: str | None = None
    physical_function: str | None = None
    sriov: Sriov | None = None


def probe_device(read: Reader, path: str, fact: str, marks: frozenset[str], answer: Ethtool | Gap) -> Device:
    """The device of the NIC in this folder; all None where there is none, as behind a bridge."""
    if "device" not in marks:
        return Device()
    inside = f"{path}/device"
    listed = folder(read, inside, f"{fact}.device")
    if not seen(listed):
        return Device(*(gap(f"{fact}.{name}", listed.reason) for name in Device._fields))
    here = frozenset(listed)
    address = _address(read, inside, fact, answer)
    # A virtio device is no PCI device itself: the one above it holds the interrupts and the node.
    above = f"{PCI}/{address}" if isinstance(address, str) and "numa_node" not in here else inside
    return Device(
        driver=link_name(read, f"{inside}/driver", f"{fact}.driver"),
        address=address,
        numa_node=read.integer(f"{above}/numa_node", f"{fact}.numa_node", None),
        irqs=_irqs(read, inside, fact, here) if above == inside else _irqs(read, above, fact, None),
        port_name=told(read, f"{path}/phys_port_name", f"{fact}.port_name", lambda text: text or None),
        physical_function=link_name(read, f"{inside}/physfn", f"{fact}.physical_function")
        if "physfn" in here
        else None,
        sriov=_sriov(read, inside, fact, listed) if "sriov_totalvfs" in here else None,
    )


def _address(read: Reader, inside: str, fact: str, answer: Ethtool | Gap) -> str | None:
    uevent = told(read, f"{inside}/uevent", f"{fact}.address", str)
    match = re.search(r"^PCI_SLOT_NAME=(\S+)$", uevent, re.MULTILINE) if isinstance(uevent, str) else None
    if match and _ADDRESS.fullmatch(match[1]):
        return match[1]
    if isinstance(answer, Ethtool) and answer.gap_of("bus") is None and answer.bus and _ADDRESS.fullmatch(answer.bus):
        return answer.bus
    return None if seen(uevent) else uevent


def _irqs(read: Reader, device: str, fact: str, here: frozenset[str] | None) -> Any:
    """The device's message-signalled interrupts, else its line; ``here`` are the folder's names where known."""
    fact = f"{fact}.irqs"
    if here is None or "msi_irqs" in here:
        names = folder(read, f"{device}/msi_irqs", fact)
        if seen(names):
            return tuple(sorted(int(name) for name in names if name.isdecimal() and len(name) < 10))
        if here is not None:
            return names
    line = read.integer(f"{device}/irq", fact, None)
    if line is None:
        return gap(fact, f"/{device} tells no interrupt")
    return ((line,) if line else ()) if seen(line) else line


def _sriov(read: Reader, inside: str, fact: str, listed: list[str]) -> Sriov:
    fact = f"{fact}.sriov"
    numbers = sorted(int(match[1]) for name in listed if (match := re.fullmatch(r"virtfn(\d{1,5})", name)))
    vfs = tuple(_vf(read, inside, fact, number) for number in numbers)
    return Sriov(
        total_vfs=read.integer(f"{inside}/sriov_totalvfs", f"{fact}.total_vfs"),
        num_vfs=read.integer(f"{inside}/sriov_numvfs", f"{fact}.num_vfs"),
        vfs=vfs,
    )


def _vf(read: Reader, inside: str, fact: str, number: int) -> Vf:
    fact = f"{fact}.vfs[{number}]"
    address = link_name(read, f"{inside}/virtfn{number}", f"{fact}.address")
    if isinstance(address, str) and not _ADDRESS.fullmatch(address):
        address = gap(f"{fact}.address", f"/{inside}/virtfn{number}: {address[:40]!r} is not a PCI address")
    if not isinstance(address, str):
        reason = address.reason if isinstance(address, Gap) else f"/{inside}/virtfn{number} is gone"
        return Vf(
            number=number,
            address=gap(f"{fact}.address", reason),
            driver=gap(f"{fact}.driver", reason),
            nics=gap(f"{fact}.nics", reason),
        )
    return Vf(
        number=number,
        address=address,
        driver=link_name(read, f"{PCI}/{address}/driver", f"{fact}.driver"),
        nics=tuple(read.names(f"{PCI}/{address}/net")),
    )
