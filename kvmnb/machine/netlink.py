"""Writing a NIC's settings through the kernel's netlink: MTU by rtnetlink, the rest as ``ethtool`` does.

Only one attribute is sent in each message, so nothing else of the NIC is touched. The numbers are those of
``linux/ethtool_netlink.h``, ``linux/genetlink.h`` and ``linux/rtnetlink.h``. The standard library's socket
does it: it works inside a notebook's running event loop too.
"""

from __future__ import annotations

import os
import socket
import struct

_GENERIC = 16
_ERROR, _REQUEST, _ACK = 2, 1, 4
_EXTENDED = (270, 11)  # SOL_NETLINK, NETLINK_EXT_ACK: errors come with a sentence
_SET_LINK, _IFLA_IFNAME, _IFLA_MTU = 19, 3, 4
_CONTROL_FAMILY, _GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 16, 3, 1, 2
_NESTED = 0x8000
_HEADER, _DEV_NAME = 1, 2
# The command that sets a part, and the attribute of each of its settings.
_PARTS: dict[str, tuple[int, dict[str, int]]] = {
    "rings": (16, {"rx": 6, "tx": 9}),
    "channels": (18, {"rx": 6, "tx": 7, "combined": 9}),
    "coalesce": (
        20,
        {"rx_usecs": 2, "rx_frames": 3, "tx_usecs": 6, "tx_frames": 7, "adaptive_rx": 11, "adaptive_tx": 12},
    ),
}
_SET_FEATURES, _WANTED, _BITS, _BIT, _BIT_NAME, _BIT_ON = 12, 3, 3, 1, 2, 3
_MOST_BYTES = 65_536


def set_nic(name: str, part: str, key: str, value: int) -> None:
    """Set one setting of a NIC; OSError with the kernel's words where it refuses.

    ``part`` is ``mtu`` (with an empty key), ``rings``, ``channels``, ``coalesce`` or ``features``; a switch is 0 or 1.
    """
    if part == "mtu":
        body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
        body += _attribute(_IFLA_IFNAME, _name(name)) + _attribute(_IFLA_MTU, struct.pack("=I", value))
        with _socket(socket.NETLINK_ROUTE) as sock:
            _ask(sock, _SET_LINK, body)
        return
    header = _attribute(_HEADER | _NESTED, _attribute(_DEV_NAME, _name(name)))
    if part == "features":
        command = _SET_FEATURES
        bit = _attribute(_BIT_NAME, _name(key)) + (_attribute(_BIT_ON, b"") if value else b"")
        bits = _attribute(_BITS | _NESTED, _attribute(_BIT | _NESTED, bit))
        wanted = _attribute(_WANTED | _NESTED, bits)
    else:
        command, attributes = _PARTS[part]
        width = "=B" if key.startswith("adaptive_") else "=I"
        wanted = _attribute(attributes[key], struct.pack(width, value))
    with _socket(_GENERIC) as sock:
        _ask(sock, _family(sock, "ethtool"), struct.pack("=BBxx", command, 1) + header + wanted)


def _socket(protocol: int) -> socket.socket:
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    sock.setsockopt(*_EXTENDED, 1)
    sock.settimeout(10)
    return sock


def _family(sock: socket.socket, name: str) -> int:
    """The number that the kernel gave a generic family at its boot."""
    body = struct.pack("=BBxx", _GET_FAMILY, 1) + _attribute(_FAMILY_NAME, _name(name))
    answer = _ask(sock, _CONTROL_FAMILY, body)
    offset = 4
    while offset + 4 <= len(answer):
        size, kind = struct.unpack_from("=HH", answer, offset)
        if kind == _FAMILY_ID:
            return int(struct.unpack_from("=H", answer, offset + 4)[0])
        offset += max(4, (size + 3) & ~3)
    raise OSError(95, "this kernel has no ethtool netlink")


def _ask(sock: socket.socket, kind: int, body: bytes) -> bytes:
    """Send one request and wait for its acknowledgement; the body of the answer before it, if any."""
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACK, 1, 0) + body)
    answer = b""
    while True:
        raw = sock.recv(_MOST_BYTES)
        while len(raw) >= 16:
            size, found, flags = struct.unpack_from("=IHH", raw)
            message, raw = raw[16:size], raw[(size + 3) & ~3 :]
            if found == _ERROR:
                code = struct.unpack_from("=i", message)[0]
                if code:
                    raise OSError(-code, _sentence(message, flags) or os.strerror(-code))
                return answer
            answer = answer or message


def _sentence(message: bytes, flags: int) -> str:
    """The kernel's own words about an error: attribute 1 behind the request that it echoes."""
    capped = 0x100
    offset = 20 if flags & capped else 4 + struct.unpack_from("=I", message, 4)[0]
    while offset + 4 <= len(message):
        size, kind = struct.unpack_from("=HH", message, offset)
        if kind & 0x3FFF == 1:
            return message[offset + 4 : offset + size].split(b"\0")[0].decode("utf-8", "replace")
        offset += max(4, (size + 3) & ~3)
    return ""


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _name(name: str) -> bytes:
    return name.encode() + b"\0"
