"""The network: a two-port 25G card with SR-IOV, a 1G port, two bridges and the guests' taps."""

from __future__ import annotations

from dataclasses import dataclass

from tools.demo_host import shape
from tools.demo_host.guests import RUNNING
from tools.demo_host.tree import Tree

COUNTERS = (
    "rx_bytes",
    "rx_packets",
    "rx_errors",
    "rx_dropped",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_bytes",
    "tx_packets",
    "tx_errors",
    "tx_dropped",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One physical port."""

    name: str
    index: int
    mac: str
    speed: int
    mtu: int
    driver: str
    address: str
    device: dict[str, object]
    bridge: str | None
    counters: str
    """In the order of ``COUNTERS``."""
    channels: int
    numa_node: int = 0

    @property
    def counted(self) -> tuple[int, ...]:
        """The counters as numbers."""
        return tuple(map(int, self.counters.split()))


_MLX5: dict[str, object] = {
    "vendor": "0x15b3",
    "device": "0x101f",
    "sriov_totalvfs": 8,
    "sriov_numvfs": 0,
    "sriov_drivers_autoprobe": 1,
}
_IGB: dict[str, object] = {
    "vendor": "0x8086",
    "device": "0x1521",
    "sriov_totalvfs": 7,
    "sriov_numvfs": 0,
}

PORTS = (
    Port(
        name="eno1",
        index=2,
        mac="02:00:5e:10:00:01",
        speed=1000,
        mtu=1500,
        driver="igb",
        address="0000:04:00.0",
        device=_IGB,
        bridge=None,
        channels=8,
        counters="91204118402 88204118 0 1204 0 0 12118402336 41204118 0 0",
    ),
    # Raised to 9000 for a storage network that came to nothing; bridge and guests stayed at 1500.
    Port(
        name="ens1f0np0",
        index=3,
        mac="02:00:5e:10:01:00",
        speed=25000,
        mtu=9000,
        driver="mlx5_core",
        address="0000:17:00.0",
        device=_MLX5,
        bridge="br0",
        channels=16,
        counters="48204118402336 41118402336 0 402118 0 88204 31118402336204 28204118402 0 0",
    ),
    Port(
        name="ens1f1np1",
        index=4,
        mac="02:00:5e:10:01:01",
        speed=25000,
        mtu=1500,
        driver="mlx5_core",
        address="0000:17:00.1",
        device=_MLX5,
        bridge="br1",
        channels=16,
        counters="2118402336204 2204118402 0 11204 0 0 1402118336204 1611204118 0 0",
    ),
)

# name, index, spanning tree, forward delay in 1/100 s
BRIDGES = (("br0", 5, 1, 1500), ("br1", 6, 0, 0))
FIRST_TAP_INDEX = 8


@dataclass(frozen=True, slots=True)
class Tap:
    """The host's end of one guest NIC."""

    name: str
    mac: str
    bridge: str
    queues: int


TAPS = tuple(Tap(*nic) for guest in RUNNING for nic in guest.taps)


def put_network(tree: Tree) -> None:
    """Every interface, and the counters of /proc/net."""
    loopback = (61_204_118, 402_118, 0, 0, 0, 0, 61_204_118, 402_118, 0, 0)
    counted: dict[str, tuple[int, ...]] = {"lo": loopback}
    _put_interface(tree, "lo", 1, "00:00:00:00:00:00", 65536, "unknown", None, loopback, kind=772, flags="0x9")
    members: dict[str, list[str]] = {name: [] for name, *_ in BRIDGES}
    for port in PORTS:
        flags = "0x1003" if port.bridge is None else "0x1103"
        _put_interface(tree, port.name, port.index, port.mac, port.mtu, "up", port.speed, port.counted, flags=flags)
        counted[port.name] = port.counted
        folder = f"sys/class/net/{port.name}"
        tree.put_all(f"{folder}/device", {**port.device, "numa_node": port.numa_node})
        tree.put_text(f"{folder}/device/driver", f"../../../../bus/pci/drivers/{port.driver}")
        tree.put_text(f"{folder}/device/uevent", f"DRIVER={port.driver}\nPCI_SLOT_NAME={port.address}\n")
        if port.bridge is not None:
            members[port.bridge].append(port.name)
    for position, tap in enumerate(TAPS):
        counters = _tap_counters(position)
        mac = tap.mac.replace("52:", "fe:", 1)
        _put_interface(tree, tap.name, FIRST_TAP_INDEX + position, mac, 1500, "unknown", 10, counters, flags="0x1103")
        counted[tap.name] = counters
        folder = f"sys/class/net/{tap.name}"
        # IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, and IFF_MULTI_QUEUE where there is more than one
        tree.put(f"{folder}/tun_flags", "0x5102" if tap.queues > 1 else "0x5002")
        _put_queues(tree, folder, tap.queues)
        members[tap.bridge].append(tap.name)
    for name, index, spanning_tree, delay in BRIDGES:
        uplink = next(port for port in PORTS if port.bridge == name)
        _put_interface(tree, name, index, uplink.mac, 1500, "up", uplink.speed, _bridge_counters(uplink))
        counted[name] = _bridge_counters(uplink)
        folder = f"sys/class/net/{name}"
        tree.put_all(
            f"{folder}/bridge",
            {
                "stp_state": spanning_tree,
                "forward_delay": delay,
                "hello_time": 200,
                "max_age": 2000,
                "ageing_time": 30000,
                "group_fwd_mask": "0x0",
                "multicast_snooping": 1,
                "vlan_filtering": 0,
                "nf_call_iptables": 0,
            },
        )
        for number, member in enumerate(members[name], start=1):
            tree.put_text(f"{folder}/brif/{member}", f"../../../{member}/brport")
            port_folder = f"sys/class/net/{member}"
            tree.put_text(f"{port_folder}/master", f"../{name}")
            # The cost of a 25G port is 1 to the kernel, of a 10 Mbit/s tap 100.
            cost = 1 if member == uplink.name else 100
            values = {"state": 3, "path_cost": cost, "port_no": f"{number:#x}", "hairpin_mode": 0}
            tree.put_all(f"{port_folder}/brport", values)
    _put_proc(tree, counted)


def _put_interface(
    tree: Tree,
    name: str,
    index: int,
    mac: str,
    mtu: int,
    state: str,
    speed: int | None,
    counters: tuple[int, ...],
    *,
    kind: int = 1,
    flags: str = "0x1003",
) -> None:
    folder = f"sys/class/net/{name}"
    tree.put_all(
        folder,
        {
            "address": mac,
            "ifindex": index,
            "mtu": mtu,
            "operstate": state,
            "flags": flags,
            "type": kind,
            "tx_queue_len": 1000,
        },
    )
    if speed is not None:
        tree.put_all(folder, {"speed": speed, "carrier": 1})
    tree.put_all(f"{folder}/statistics", dict(zip(COUNTERS, counters, strict=True)))


def _put_queues(tree: Tree, folder: str, queues: int) -> None:
    for queue in range(queues):
        tree.put(f"{folder}/queues/rx-{queue}/rps_cpus", "00000000,00000000")
        tree.put(f"{folder}/queues/tx-{queue}/xps_cpus", "00000000,00000000")


def _tap_counters(position: int) -> tuple[int, ...]:
    """A tap's traffic; what the host sends is what the guest receives."""
    packets_in = (
        902_118_402,
        611_204_118,
        4_118_402_336,
        1_402_118_204,
        2_204_118_402,
        88_204_118,
        3_118_402_336,
        41_204_118,
    )
    received = packets_in[position]
    sent = received * 5 // 4
    return (
        received * 914,
        received,
        0,
        0,
        0,
        0,
        sent * 1_108,
        sent,
        0,
        (0, 0, 812_402, 0, 40_118, 0, 22_118, 118)[position],
    )


def _bridge_counters(uplink: Port) -> tuple[int, ...]:
    return tuple(counter // 1000 if place in (0, 1, 6, 7) else 0 for place, counter in enumerate(uplink.counted))


_FACES = (
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed"
)


def _put_proc(tree: Tree, counted: dict[str, tuple[int, ...]]) -> None:
    lines = [
        "Inter-|   Receive                                                |  Transmit",
        _FACES,
    ]
    for name, counters in counted.items():
        value = dict(zip(COUNTERS, counters, strict=True))
        # The kernel adds what the card missed to what it dropped.
        dropped = value["rx_dropped"] + value["rx_missed_errors"]
        received = (value["rx_bytes"], value["rx_packets"], value["rx_errors"], dropped, 0, 0, 0, 0)
        sent = (value["tx_bytes"], value["tx_packets"], value["tx_errors"], value["tx_dropped"], 0, 0, 0, 0)
        lines.append(f"{name:>6}: " + " ".join(map(str, received + sent)))
    tree.put("proc/net/dev", "\n".join(lines))
    softnet = []
    for cpu in shape.CPUS:
        processed = 61_204_118 + cpu * 1_118_402
        squeezed = 4_118 if cpu < shape.CORES else 212
        words = (processed, 0, squeezed, 0, 0, 0, 0, 0, 0, 0, 0, 0, cpu)
        softnet.append(" ".join(f"{word:08x}" for word in words))
    tree.put("proc/net/softnet_stat", "\n".join(softnet))
    tree.put(
        "proc/net/sockstat",
        "sockets: used 412\nTCP: inuse 21 orphan 0 tw 4 alloc 24 mem 6\nUDP: inuse 6 mem 2\n"
        "UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0",
    )
