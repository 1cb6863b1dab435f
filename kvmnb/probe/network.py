"""A host's network interfaces, from ``/sys/class/net`` and the ethtool answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.ethtool import Ethtool
from kvmnb.facts.gap import Gap
from kvmnb.facts.network import Nic, Tap
from kvmnb.probe.network_device import Device, probe_device
from kvmnb.probe.network_ethtool import ethtool_of
from kvmnb.probe.network_kinds import Vlans, probe_bond, probe_bridge, probe_counters, probe_tap
from kvmnb.probe.network_values import flag, folder, mask, number, told
from kvmnb.probe.reader import Reader, gap, seen

ROOT = "sys/class/net"
Answers = Callable[[list[str]], Mapping[str, Any]]

_IFF_UP, _IFF_LOOPBACK, _IFF_PROMISC = 0x1, 0x8, 0x100
# Several drivers write "not known" as the unsigned form of -1.
_UNKNOWN_SPEEDS = (-1, 65_535, 4_294_967_295)
_ROUTING = ("physical", "bond", "vlan", "bridge")


def probe_nics(read: Reader, ethtool: Answers) -> tuple[Nic, ...]:
    """Every network interface, by name; ``ethtool`` gives the answers of the NICs that it is asked for."""
    listed = folder(read, ROOT, "host.nics")
    if not seen(listed):
        return cast(tuple[Nic, ...], listed)
    names = [name for name in listed if name != "bonding_masters"]
    try:
        answers: Mapping[str, Any] | Gap = ethtool(names)
    except (OSError, KvmnbError) as problem:
        answers = gap("host.nics", f"ethtool answers: {problem}")
    vlan_of = Vlans(read)
    return tuple(_nic(read, name, answers, vlan_of) for name in names)


def _nic(read: Reader, name: str, answers: Mapping[str, Any] | Gap, vlan_of: Vlans) -> Nic:
    path, fact = f"{ROOT}/{name}", f"host.nics[{name}]"
    listed = folder(read, path, fact)
    if not seen(listed):
        unseen = {one.name: gap(f"{fact}.{one.name}", listed.reason) for one in fields(Nic)}
        return Nic(**{**unseen, "name": name})
    marks = frozenset(listed)
    flags = read.parse(f"{path}/flags", f"{fact}.up", number)
    ifindex = read.integer(f"{path}/ifindex", f"{fact}.ifindex")
    answer = ethtool_of(answers, name, f"{fact}.ethtool")
    device = probe_device(read, path, fact, marks, answer)
    tap = probe_tap(read, path, fact) if "tun_flags" in marks else None
    kind = _kind(read, name, marks, flags, ifindex, device, answer, tap)
    real = tap is None and "bridge" not in marks and kind != "loopback"
    rps, xps = _queues(read, path, fact) if "queues" in marks else (None, None)
    return Nic(
        name=name,
        kind=kind,
        ifindex=ifindex,
        up=_flag(flags, _IFF_UP, f"{fact}.up"),
        promiscuous=_flag(flags, _IFF_PROMISC, f"{fact}.promiscuous"),
        operstate=read.word(f"{path}/operstate", f"{fact}.operstate"),
        carrier=told(read, f"{path}/carrier", f"{fact}.carrier", flag),
        speed_mbit=told(read, f"{path}/speed", f"{fact}.speed_mbit", _speed) if real else None,
        duplex=told(read, f"{path}/duplex", f"{fact}.duplex", _duplex) if real else None,
        mtu=read.integer(f"{path}/mtu", f"{fact}.mtu"),
        tx_queue_len=read.integer(f"{path}/tx_queue_len", f"{fact}.tx_queue_len", None),
        master=_master(read, path, fact) if "master" in marks else None,
        lower=tuple(mark[6:] for mark in listed if mark.startswith("lower_")),
        upper=tuple(mark[6:] for mark in listed if mark.startswith("upper_")),
        rps_cpus=rps,
        xps_cpus=xps,
        forwarding=told(read, f"proc/sys/net/ipv4/conf/{name}/forwarding", f"{fact}.forwarding", flag)
        if kind in _ROUTING
        else None,
        driver=device.driver,
        address=device.address,
        numa_node=device.numa_node,
        irqs=device.irqs,
        port_name=device.port_name,
        physical_function=device.physical_function,
        sriov=device.sriov,
        bridge=probe_bridge(read, path, fact) if "bridge" in marks else None,
        bond=probe_bond(read, path, fact) if "bonding" in marks else None,
        vlan=vlan_of.find(name, f"{fact}.vlan") if kind == "vlan" else None,
        tap=tap,
        counters=probe_counters(read, path, fact, "statistics" in marks),
        ethtool=answer,
    )


def _kind(
    read: Reader,
    name: str,
    marks: frozenset[str],
    flags: int,
    ifindex: int,
    device: Device,
    answer: Ethtool | Gap,
    tap: Tap | None,
) -> str:
    """The kind by the surest mark: the kernel's own folders, then DEVTYPE, then the driver's word."""
    if seen(flags) and flags & _IFF_LOOPBACK:
        return "loopback"
    for mark, word in (("bridge", "bridge"), ("bonding", "bond"), ("macvtap", "macvtap")):
        if mark in marks:
            return word
    path = f"{ROOT}/{name}"
    if tap is not None:
        if not seen(tap):
            return gap(f"host.nics[{name}].kind", _reason(tap))  # type: ignore[no-any-return]
        return tap.mode
    if "device" in marks:
        port = device.port_name if isinstance(device.port_name, str) else ""
        return "representor" if re.fullmatch(r"(?:c\d+)?pf\d+[vs]f\d+", port) else "physical"
    uevent = told(read, f"{path}/uevent", f"host.nics[{name}].kind", str)
    if not seen(uevent):
        return uevent  # type: ignore[return-value]
    match = re.search(r"^DEVTYPE=([a-z0-9_]{1,20})$", uevent or "", re.MULTILINE)
    if match:
        return match[1]
    driver = answer.driver if isinstance(answer, Ethtool) and answer.gap_of("driver") is None else None
    if driver == "openvswitch" or name == "ovs-system":
        return "openvswitch"
    if driver and re.fullmatch(r"[a-z0-9_]{1,20}", driver):
        return driver
    peer = told(read, f"{path}/iflink", "", number)
    # A tunnel's iflink is 0 or the NIC below it, which it also names as lower.
    stacked = any(mark.startswith("lower_") for mark in marks)
    if isinstance(peer, int) and peer not in (0, ifindex) and not stacked:
        return "veth"
    # Without its flags the loopback NIC looks like any other.
    return "virtual" if seen(flags) else gap(f"host.nics[{name}].kind", _reason(flags))


def _master(read: Reader, path: str, fact: str) -> str:
    try:
        return read.files.link(f"{path}/master").rsplit("/", 1)[-1]
    except (OSError, ValueError) as problem:
        return gap(f"{fact}.master", f"/{path}/master: {getattr(problem, 'strerror', None) or problem}")  # type: ignore[no-any-return]


def _queues(read: Reader, path: str, fact: str) -> tuple[tuple[CpuSet, ...], tuple[CpuSet | None, ...]]:
    names = folder(read, f"{path}/queues", f"{fact}.rps_cpus")
    if not seen(names):
        return names, gap(f"{fact}.xps_cpus", _reason(names))
    numbers: dict[str, list[int]] = {"rx": [], "tx": []}
    for name in names:
        match = re.fullmatch(r"(rx|tx)-(\d{1,5})", name)
        if match:
            numbers[match[1]].append(int(match[2]))
    rps = [
        read.parse(f"{path}/queues/rx-{number}/rps_cpus", f"{fact}.rps_cpus", mask, CpuSet())
        for number in sorted(numbers["rx"])
    ]
    xps = [
        told(read, f"{path}/queues/tx-{number}/xps_cpus", f"{fact}.xps_cpus", mask) for number in sorted(numbers["tx"])
    ]
    return _whole(rps), _whole(xps)


def _whole(values: Sequence[Any]) -> Any:
    """All values, or the gap of the first that could not be read."""
    return next((value for value in values if not seen(value)), tuple(values))


def _speed(text: str) -> int | None:
    speed = number(text)
    return None if speed in _UNKNOWN_SPEEDS else speed


def _duplex(text: str) -> str | None:
    return text if text in ("full", "half") else None


def _flag(flags: object, bit: int, fact: str) -> bool:
    """One bit of a NIC's flags; a gap where they are one."""
    if isinstance(flags, Gap):
        return gap(fact, flags.reason)  # type: ignore[no-any-return]
    return isinstance(flags, int) and bool(flags & bit)


def _reason(found: object) -> str:
    return found.reason if isinstance(found, Gap) else ""
