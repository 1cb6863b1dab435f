"""The network devices that the operator's own session comes through, and the changes that could cut it off."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change
from kvmnb.tunable.target import HOST
from kvmnb.tunable.tunable import Tunable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UP = 0x1  # RTF_UP and RTF_REJECT, include/uapi/linux/route.h
_REJECT = 0x200
_NIC = re.compile(r"(?:sysfs:host:class/net/|ethtool:host:|sriov:host:)([^/]+)")


def operators_devices(files: Files, environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The devices that carry the operator's session, with all that these are made of.

    Where ssh told whom it serves (``SSH_CONNECTION``), the device of the route to that address; and always
    the devices of the default routes, since a notebook's reader may come from anywhere. With a bridge, bond or
    VLAN its members count too, with a VF its physical function.
    """
    routes = tuple(_routes(files))
    first = {device for network, device, _metric in routes if network.prefixlen == 0}
    client = _client(environment)
    if client is not None:
        first |= _towards(client, routes)
    found: set[str] = set()
    waiting = sorted(first)
    while waiting:
        device = waiting.pop()
        if device != "lo" and device not in found:
            found.add(device)
            waiting += _made_of(files, device)
    return frozenset(found)


def cutting(changes: Iterable[Change], devices: frozenset[str]) -> tuple[Change, ...]:
    """The changes of these devices' own settings (MTU, offloads, rings, channels, bridge, VFs)."""
    return tuple(one for one in changes if device_of(one.tunable) in devices)


def at_risk(changes: Iterable[Change], machine: Machine) -> tuple[Change, ...]:
    """The changes that could cut off whoever operates this machine; none where that is not this system."""
    if machine.kind != "live" or machine.files is None:
        return ()
    devices = operators_devices(machine.files)
    return cutting(changes, devices | {_address(machine.files, device) for device in devices})


def device_of(tunable: Tunable) -> str | None:
    """The network device, or its PCI address, that a host setting is of; None for any other setting."""
    if tunable.target != HOST:
        return None
    match = _NIC.match(str(tunable))
    return match[1] if match else None


def _address(files: Files, device: str) -> str:
    """The PCI address of a device, by which its virtual functions are named; its own name where it has none."""
    try:
        return files.link(f"sys/class/net/{device}/device").rpartition("/")[2]
    except (OSError, ValueError):
        return device


def _client(environment: Mapping[str, str]) -> Address | None:
    """Who is at the other end of ssh: the first word of SSH_CONNECTION, see sshd(8)."""
    word = environment.get("SSH_CONNECTION", "").partition(" ")[0].partition("%")[0]
    try:
        return _plain(ipaddress.ip_address(word))
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """An IPv4 address that an IPv6 socket shows (``::ffff:192.0.2.1``) as what it is."""
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Route = tuple[Network, str, int]


def _towards(client: Address, routes: Iterable[Route]) -> set[str]:
    """The devices of the longest matching route; several where equal routes share the way."""
    fitting = [(route[0].prefixlen, route[1]) for route in routes if client in route[0]]
    longest = max((length for length, _ in fitting), default=0)
    return {device for length, device in fitting if length == longest}


def _routes(files: Files) -> Iterator[Route]:
    """The main table's routes, from ``/proc/net/route`` and ``/proc/net/ipv6_route``."""
    for fields in _rows(files, "proc/net/route", 8):
        flags = int(fields[3], 16)
        if flags & _UP and not flags & _REJECT:
            # The kernel prints the address as a number of this machine's byte order.
            target = int.from_bytes(bytes.fromhex(fields[1]), sys.byteorder)
            mask = int.from_bytes(bytes.fromhex(fields[7]), sys.byteorder)
            yield ipaddress.IPv4Network((target & mask, mask.bit_count())), fields[0], int(fields[6])
    for fields in _rows(files, "proc/net/ipv6_route", 10):
        flags = int(fields[8], 16)
        if flags & _UP and not flags & _REJECT and fields[9] != "lo":
            prefix = (int(fields[0], 16), int(fields[1], 16))
            yield ipaddress.IPv6Network(prefix, strict=False), fields[9], int(fields[5], 16)


def _rows(files: Files, path: str, count: int) -> Iterator[list[str]]:
    try:
        lines = files.read(path).splitlines()
    except (OSError, ValueError):
        # A host without IPv6 has no such file; without any route nobody comes through the network.
        return
    for line in lines:
        fields = line.split()
        if len(fields) >= count and fields[0] != "Iface":
            yield fields


def _made_of(files: Files, device: str) -> list[str]:
    """The devices below a bridge, bond, team or VLAN, and the physical function behind a VF."""
    folder = f"sys/class/net/{device}"
    try:
        names = files.names(folder)
    except OSError:
        return []
    found = [name.removeprefix("lower_") for name in names if name.startswith("lower_")]
    for place in (f"{folder}/brif", f"{folder}/device/physfn/net"):
        try:
            found += files.names(place)
        except OSError:
            continue
    return found
