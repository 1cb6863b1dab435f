"""What a bridge, a bond, a VLAN or a tap has beyond other NICs, and what each NIC lost."""

from __future__ import annotations

from typing import Any

from kvmnb.facts.network import Bond, Bridge, NicCounters, Tap, Vlan
from kvmnb.probe.network_values import flag, folder, number, told
from kvmnb.probe.reader import Reader, gap, seen

_IFF_TAP, _IFF_MULTI_QUEUE, _IFF_VNET_HDR, _IFF_PERSIST = 0x2, 0x100, 0x4000, 0x800
_COUNTERS = ("rx_errors", "rx_dropped", "rx_missed_errors", "rx_fifo_errors", "tx_dropped")


def probe_bridge(read: Reader, path: str, fact: str) -> Bridge:
    """The settings and ports of the bridge in this folder."""
    inside, fact = f"{path}/bridge", f"{fact}.bridge"
    ports = folder(read, f"{path}/brif", f"{fact}.ports")
    return Bridge(
        stp=read.parse(f"{inside}/stp_state", f"{fact}.stp", lambda text: number(text) != 0),
        forward_delay_cs=read.integer(f"{inside}/forward_delay", f"{fact}.forward_delay_cs"),
        ageing_time_cs=read.integer(f"{inside}/ageing_time", f"{fact}.ageing_time_cs", None),
        vlan_filtering=told(read, f"{inside}/vlan_filtering", f"{fact}.vlan_filtering", flag),
        multicast_snooping=told(read, f"{inside}/multicast_snooping", f"{fact}.multicast_snooping", flag),
        ports=tuple(ports) if seen(ports) else ports,
    )


def probe_bond(read: Reader, path: str, fact: str) -> Bond:
    """The settings and members of the bond in this folder."""
    inside, fact = f"{path}/bonding", f"{fact}.bond"
    return Bond(
        mode=read.parse(f"{inside}/mode", f"{fact}.mode", _first_word),
        active_slave=told(read, f"{inside}/active_slave", f"{fact}.active_slave", _first_word),
        xmit_hash_policy=told(read, f"{inside}/xmit_hash_policy", f"{fact}.xmit_hash_policy", _first_word),
        slaves=read.words(f"{inside}/slaves", f"{fact}.slaves"),
    )


def probe_tap(read: Reader, path: str, fact: str) -> Tap:
    """The flags of the tap in this folder."""
    flags = read.parse(f"{path}/tun_flags", f"{fact}.tap", number)
    if not seen(flags):
        return flags  # type: ignore[return-value]
    return Tap(
        mode="tap" if flags & _IFF_TAP else "tun",
        multi_queue=bool(flags & _IFF_MULTI_QUEUE),
        vnet_hdr=bool(flags & _IFF_VNET_HDR),
        persistent=bool(flags & _IFF_PERSIST),
    )


def probe_counters(read: Reader, path: str, fact: str, listed: bool) -> NicCounters:
    """The counters of the NIC in this folder; ``listed`` tells whether it has any."""
    fact = f"{fact}.counters"
    if not listed:
        return gap(fact, f"/{path} has no statistics")  # type: ignore[no-any-return]
    return NicCounters(**{name: read.integer(f"{path}/statistics/{name}", f"{fact}.{name}") for name in _COUNTERS})


class Vlans:
    """The VLAN of each VLAN NIC, read when the first is asked for; only root may read them."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._known: Any = None

    def find(self, name: str, fact: str) -> Vlan:
        """The VLAN of this NIC, or a Gap."""
        if self._known is None:
            self._known = self._read.parse("proc/net/vlan/config", fact, parse_vlans)
        if not seen(self._known):
            return gap(fact, self._known.reason)  # type: ignore[no-any-return]
        found: Vlan = self._known.get(name, gap(fact, f"/proc/net/vlan/config has no {name}"))
        return found


def parse_vlans(text: str) -> dict[str, Vlan]:
    """The lines of ``/proc/net/vlan/config``.

    >>> parse_vlans("VLAN Dev name | VLAN ID\\neth0.5 | 5  | eth0")["eth0.5"].parent
    'eth0'
    """
    found = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 3:
            found[parts[0]] = Vlan(id=number(parts[1]), parent=parts[2])
    return found


def _first_word(text: str) -> str | None:
    words = text.split()
    return words[0] if words else None
