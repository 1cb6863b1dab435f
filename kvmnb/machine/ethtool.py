"""What the kernel says of its NICs when asked as ``ethtool`` asks: driver, rings, channels, coalescing, features.

Read with SIOCETHTOOL and the standard library alone, in syntax of Python 3.8 and without another module
of kvmnb: the text of this module is also run on a remote host by the reader script. The structures are
those of ``linux/ethtool.h``; none of the requests changes anything or needs root.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterable
from typing import Any

_SIOCETHTOOL = 0x8946
_GDRVINFO = 0x03
_GCOALESCE = 0x0E
_GRINGPARAM = 0x10
_GSTRINGS = 0x1B
_GSSET_INFO = 0x37
_GFEATURES = 0x3A
_GCHANNELS = 0x3C
_SS_FEATURES = 4
_NAME_BYTES = 32


def ethtool_answers(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Each NIC's answers as plain JSON values, by its name.

    One answer holds ``driver``, ``rings``, ``channels``, ``coalesce`` and ``features``. A part is None where
    the driver has none of it, and ``{"error": "EPERM"}`` where the kernel refused to tell. A NIC that is
    not there is ``{"error": "ENODEV"}`` as a whole. A feature's state is spelled as ``ethtool -k`` does:
    ``on``, ``off [fixed]``, ``off [requested on]``.
    """
    parts = {"driver": _driver, "rings": _rings, "channels": _channels, "coalesce": _coalesce, "features": _features}
    answers: dict[str, dict[str, Any]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        strings: list[str] = []
        for name in names:
            answer: dict[str, Any] = {}
            for part, ask in parts.items():
                try:
                    answer[part] = ask(sock, name, strings)
                except OSError as problem:
                    if problem.errno == errno.ENODEV:
                        answer = {"error": "ENODEV"}
                        break
                    answer[part] = _refusal(problem)
            answers[name] = answer
    return answers


def _refusal(problem: OSError) -> dict[str, str] | None:
    if problem.errno == errno.EOPNOTSUPP:
        return None
    return {"error": errno.errorcode.get(problem.errno or 0, str(problem.errno))}


def _ask(sock: socket.socket, name: str, request: bytes) -> bytes:
    """The kernel's answer, written over the request; OSError as it refuses."""
    raw = os.fsencode(name)
    if not 0 < len(raw) < 16 or b"\0" in raw:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    answer = array.array("B", request)
    # struct ifreq: the name, then a pointer to the request, filled up to 40 bytes.
    fcntl.ioctl(sock.fileno(), _SIOCETHTOOL, struct.pack("16sP16x", raw, answer.buffer_info()[0]))
    return answer.tobytes()


def _numbers(sock: socket.socket, name: str, command: int, count: int) -> list[int]:
    """The 32-bit numbers that follow the command in its structure."""
    answer = _ask(sock, name, struct.pack("=I", command) + bytes(4 * count))
    return list(struct.unpack(f"={count}I", answer[4:]))


def _driver(sock: socket.socket, name: str, strings: list[str]) -> dict[str, str]:
    answer = _ask(sock, name, struct.pack("=I", _GDRVINFO) + bytes(192))
    words = [field.split(b"\0")[0].decode("utf-8", "replace") for field in struct.unpack("=4x32s32s32s32s64x", answer)]
    return dict(zip(("driver", "version", "firmware", "bus"), words))  # noqa: B905


def _rings(sock: socket.socket, name: str, strings: list[str]) -> dict[str, int]:
    found = _numbers(sock, name, _GRINGPARAM, 8)
    return {"rx": found[4], "rx_max": found[0], "tx": found[7], "tx_max": found[3]}


def _channels(sock: socket.socket, name: str, strings: list[str]) -> dict[str, int]:
    words = ("rx_max", "tx_max", "other_max", "combined_max", "rx", "tx", "other", "combined")
    return dict(zip(words, _numbers(sock, name, _GCHANNELS, 8)))  # noqa: B905


def _coalesce(sock: socket.socket, name: str, strings: list[str]) -> dict[str, Any]:
    found = _numbers(sock, name, _GCOALESCE, 22)
    return {
        "rx_usecs": found[0],
        "rx_frames": found[1],
        "tx_usecs": found[4],
        "tx_frames": found[5],
        "adaptive_rx": bool(found[9]),
        "adaptive_tx": bool(found[10]),
    }


def _features(sock: socket.socket, name: str, strings: list[str]) -> dict[str, str]:
    if not strings:
        # The names are the kernel's, the same for every NIC.
        strings.extend(_feature_names(sock, name))
    blocks = (len(strings) + 31) // 32
    answer = _ask(sock, name, struct.pack("=II", _GFEATURES, blocks) + bytes(16 * blocks))
    words = struct.unpack(f"={4 * blocks}I", answer[8:])
    available, requested, active, never_changed = (
        sum(word << 32 * index for index, word in enumerate(words[part::4])) for part in range(4)
    )
    states: dict[str, str] = {}
    for bit, feature in enumerate(strings):
        if not feature:
            continue
        state = "on" if active >> bit & 1 else "off"
        if not available >> bit & 1 or never_changed >> bit & 1:
            state += " [fixed]"
        elif (requested ^ active) >> bit & 1:
            state += " [requested on]" if requested >> bit & 1 else " [requested off]"
        states[feature] = state
    return states


def _feature_names(sock: socket.socket, name: str) -> list[str]:
    answer = _ask(sock, name, struct.pack("=IIQI", _GSSET_INFO, 0, 1 << _SS_FEATURES, 0))
    mask, count = struct.unpack("=8xQI", answer)
    if not mask:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    answer = _ask(sock, name, struct.pack("=III", _GSTRINGS, _SS_FEATURES, count) + bytes(_NAME_BYTES * count))
    told = struct.unpack("=8xI", answer[:12])[0]
    texts = (answer[12 + _NAME_BYTES * index : 12 + _NAME_BYTES * (index + 1)] for index in range(min(count, told)))
    return [text.split(b"\0")[0].decode("ascii", "replace") for text in texts]
