"""The proof that a libvirt connection and this system's files are one host."""

from __future__ import annotations

import os
import socket
import struct
from urllib.parse import parse_qs, urlsplit

_SYSTEM_SOCKETS = (
    "/run/libvirt/virtqemud-sock",
    "/run/libvirt/libvirt-sock",
    "/var/run/libvirt/virtqemud-sock",
    "/var/run/libvirt/libvirt-sock",
)
_SESSION_SOCKETS = ("virtqemud-sock", "libvirt-sock")


def why_not_this_host(uri: str) -> str | None:
    """The reason why this system's files are not proved to be the hypervisor's host; None where they are.

    The kernel says which process listens on the daemon's socket (SO_PEERCRED, unix(7)). A process of
    another kernel or of an outer container has no number here and reads as 0, so a socket that was
    mounted or forwarded from elsewhere proves nothing.
    """
    parts = urlsplit(uri)
    driver, _, transport = parts.scheme.partition("+")
    if driver != "qemu":
        return f"the driver {driver or uri!r} does not run guests of this system"
    if transport not in ("", "unix") or parts.hostname:
        return "the connection is remote"
    if parts.path == "/embed":
        return None
    candidates = parse_qs(parts.query).get("socket") or _usual_sockets(parts.path)
    for path in candidates:
        if os.path.exists(path):
            return _peer_gap(path)
    return "the daemon's socket was not found, so it may be another host's"


def _usual_sockets(path: str) -> list[str]:
    if path == "/session":
        runtime = os.environ.get("XDG_RUNTIME_DIR") or os.path.expanduser("~/.cache")
        return [f"{runtime}/libvirt/{name}" for name in _SESSION_SOCKETS]
    return list(_SYSTEM_SOCKETS)


def _peer_gap(path: str) -> str | None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(path)
        except OSError as problem:
            return f"the daemon's socket {path} does not answer: {problem.strerror or problem}"
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    if pid == 0:
        return f"the process behind {path} is not one of this system's (a socket mounted into a container)"
    return None
