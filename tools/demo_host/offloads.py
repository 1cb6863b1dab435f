"""What the kernel answers of the NICs when asked as ``ethtool`` asks, in the form of ``ethtool_answers``."""

from __future__ import annotations

import json
from typing import Any

from tools.demo_host import shape
from tools.demo_host.network import BRIDGES, PORTS, TAPS, Port, Tap
from tools.demo_host.tree import Tree

# Linux 6.1 names its features in this order.
_NAMES = (
    "tx-scatter-gather tx-checksum-ipv4 tx-checksum-ip-generic tx-checksum-ipv6 highdma "
    "tx-scatter-gather-fraglist tx-vlan-hw-insert rx-vlan-hw-parse rx-vlan-filter vlan-challenged "
    "tx-generic-segmentation tx-lockless netns-local rx-gro rx-lro tx-tcp-segmentation tx-gso-robust "
    "tx-tcp-ecn-segmentation tx-tcp-mangleid-segmentation tx-tcp6-segmentation tx-fcoe-segmentation "
    "tx-gre-segmentation tx-gre-csum-segmentation tx-ipxip4-segmentation tx-ipxip6-segmentation "
    "tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation tx-gso-partial tx-tunnel-remcsum-segmentation "
    "tx-sctp-segmentation tx-esp-segmentation tx-udp-segmentation tx-gso-list tx-checksum-fcoe-crc "
    "tx-checksum-sctp fcoe-mtu rx-ntuple-filter rx-hashing rx-checksum tx-nocache-copy loopback rx-fcs rx-all "
    "tx-vlan-stag-hw-insert rx-vlan-stag-hw-parse rx-vlan-stag-filter l2-fwd-offload hw-tc-offload "
    "esp-hw-offload esp-tx-csum-hw-offload rx-udp_tunnel-port-offload tls-hw-tx-offload tls-hw-rx-offload "
    "rx-gro-hw tls-hw-record rx-gro-list macsec-hw-offload rx-udp-gro-forwarding hsr-tag-ins-offload "
    "hsr-tag-rm-offload hsr-fwd-offload hsr-dup-offload"
)
FEATURES = tuple(_NAMES.split())
NOT_YET = "off [requested on]"
"""Asked for, and not given by what stands below."""

# Both kinds of card segment these themselves; the kernel offers the rest to every NIC.
_CARD = {
    "on": "tx-scatter-gather tx-checksum-ip-generic tx-vlan-hw-insert rx-vlan-hw-parse tx-generic-segmentation "
    "rx-gro tx-tcp-segmentation tx-tcp6-segmentation tx-gre-segmentation tx-gre-csum-segmentation "
    "tx-ipxip4-segmentation tx-ipxip6-segmentation tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation "
    "tx-gso-partial tx-udp-segmentation rx-hashing rx-checksum",
    "on [fixed]": "highdma",
    "off": "tx-tcp-mangleid-segmentation rx-ntuple-filter tx-nocache-copy rx-all hw-tc-offload rx-gro-list "
    "rx-udp-gro-forwarding",
}
# A bridge takes the large packets that lro makes from none of its ports: the kernel switches it off there.
_MLX5 = {
    "on": "rx-vlan-filter tx-vlan-stag-hw-insert rx-udp_tunnel-port-offload",
    "on [fixed]": "rx-vlan-stag-filter",
    "off": "rx-lro rx-fcs",
}
_IGB = {"on": "tx-checksum-sctp", "on [fixed]": "rx-vlan-filter"}
_LOOPBACK = {
    "on [fixed]": "tx-scatter-gather tx-checksum-ip-generic highdma tx-scatter-gather-fraglist vlan-challenged "
    "tx-lockless netns-local tx-checksum-sctp rx-checksum loopback",
    "on": "tx-generic-segmentation rx-gro tx-tcp-segmentation tx-tcp-ecn-segmentation "
    "tx-tcp-mangleid-segmentation tx-tcp6-segmentation tx-sctp-segmentation tx-udp-segmentation tx-gso-list",
    "off": "rx-gro-list rx-udp-gro-forwarding",
}
_BRIDGE = {
    "on": "tx-scatter-gather tx-checksum-ip-generic tx-scatter-gather-fraglist tx-vlan-hw-insert "
    "tx-generic-segmentation rx-gro tx-tcp-segmentation tx-tcp-ecn-segmentation tx-tcp-mangleid-segmentation "
    "tx-tcp6-segmentation tx-gre-segmentation tx-gre-csum-segmentation tx-ipxip4-segmentation "
    "tx-ipxip6-segmentation tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation tx-gso-partial "
    "tx-tunnel-remcsum-segmentation tx-esp-segmentation tx-vlan-stag-hw-insert",
    "on [fixed]": "tx-lockless netns-local",
    NOT_YET: "highdma tx-gso-robust tx-fcoe-segmentation tx-sctp-segmentation tx-udp-segmentation tx-gso-list",
    "off": "tx-nocache-copy rx-gro-list rx-udp-gro-forwarding",
}
_TAP = {
    "on": "tx-scatter-gather tx-scatter-gather-fraglist tx-vlan-hw-insert tx-generic-segmentation rx-gro "
    "tx-vlan-stag-hw-insert",
    "on [fixed]": "tx-lockless",
    "off": "tx-tcp-mangleid-segmentation tx-nocache-copy rx-gro-list rx-udp-gro-forwarding",
}
_CHECKSUM = "tx-checksum-ip-generic"
_SEGMENTATION = "tx-tcp-segmentation tx-tcp-ecn-segmentation tx-tcp6-segmentation"
# What QEMU asks of the tap follows from what the guest's NIC can take; e1000 and rtl8139 take neither.
_TAKEN = {
    "virtio": {"on": f"{_CHECKSUM} {_SEGMENTATION}"},
    "e1000e": {"on": _CHECKSUM, NOT_YET: _SEGMENTATION},
    "": {NOT_YET: f"{_CHECKSUM} {_SEGMENTATION}"},
}
_MOST_TAP_QUEUES = 256


def put_offloads(tree: Tree, models: dict[str, str]) -> None:
    """One file for each NIC; ``models`` are the guests' NICs by the name of their tap."""
    nothing = dict.fromkeys(("driver", "rings", "channels", "coalesce"))
    answers: dict[str, dict[str, Any]] = {"lo": {**nothing, "features": _features(_LOOPBACK)}}
    for name, *_ in BRIDGES:
        driver = _driver("bridge", "2.3", "N/A", "N/A")
        answers[name] = {**nothing, "driver": driver, "features": _features(_BRIDGE)}
    answers |= {port.name: _of_port(port) for port in PORTS}
    answers |= {tap.name: _of_tap(tap, models[tap.name]) for tap in TAPS}
    for name, answer in answers.items():
        tree.put(f"ethtool/{name}.json", json.dumps(answer, indent=1))


def _of_port(port: Port) -> dict[str, Any]:
    mlx5 = port.driver == "mlx5_core"
    firmware = "26.36.1010 (MT_0000000531)" if mlx5 else "1.63, 0x80001253"
    return {
        "driver": _driver(port.driver, shape.KERNEL, firmware, port.address),
        # Somebody made the receive ring small for the sake of latency; the card has missed frames since.
        "rings": _rings(512, 1024, 8192) if mlx5 else _rings(256, 256, 4096),
        "channels": _channels(port.channels, port.channels, 0 if mlx5 else 1),
        "coalesce": _coalesce(8, 128, 8, 128, adaptive=True) if mlx5 else _coalesce(3, 0, 0, 0),
        "features": _features(_CARD, _MLX5 if mlx5 else _IGB),
    }


def _of_tap(tap: Tap, model: str) -> dict[str, Any]:
    most = _MOST_TAP_QUEUES if tap.queues > 1 else 1
    return {
        "driver": _driver("tun", "1.6", "", "tap"),
        "rings": None,
        "channels": _channels(tap.queues, most, 0),
        "coalesce": _coalesce(0, 0, 0, 0),
        "features": _features(_TAP, _TAKEN.get(model, _TAKEN[""])),
    }


def _driver(driver: str, version: str, firmware: str, bus: str) -> dict[str, str]:
    return {"driver": driver, "version": version, "firmware": firmware, "bus": bus}


def _rings(rx: int, tx: int, most: int) -> dict[str, int]:
    return {"rx": rx, "rx_max": most, "tx": tx, "tx_max": most}


def _channels(combined: int, most: int, other: int) -> dict[str, int]:
    return {
        "rx_max": 0,
        "tx_max": 0,
        "other_max": other,
        "combined_max": most,
        "rx": 0,
        "tx": 0,
        "other": other,
        "combined": combined,
    }


def _coalesce(
    rx_usecs: int, rx_frames: int, tx_usecs: int, tx_frames: int, *, adaptive: bool = False
) -> dict[str, int | bool]:
    return {
        "rx_usecs": rx_usecs,
        "rx_frames": rx_frames,
        "tx_usecs": tx_usecs,
        "tx_frames": tx_frames,
        "adaptive_rx": adaptive,
        "adaptive_tx": adaptive,
    }


def _features(*parts: dict[str, str]) -> dict[str, str]:
    """Every feature's state; what no part names is off for good."""
    states = dict.fromkeys(FEATURES, "off [fixed]")
    for part in parts:
        for state, names in part.items():
            for name in names.split():
                if name not in states:
                    raise ValueError(f"Linux 6.1 has no feature {name}")
                states[name] = state
    return states
