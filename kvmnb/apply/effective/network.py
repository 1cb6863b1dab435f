"""A network card's queues, from the tap that the kernel serves and from QEMU's command line."""

from __future__ import annotations

import re

from kvmnb.apply.effective.look import Look, Seen, word

PATHS = re.compile(r"(devices/interface\[[^\]]+\])/driver/@(queues|rx_queue_size|tx_queue_size)")

TAP_RING = 256
"""QEMU shortens a longer transmit ring unless vhost-user or vDPA serves it; hw/net/virtio-net.c."""


def look_at(look: Look, path: str, value: str) -> Seen | None:
    """The number of queues or the length of a ring as it is in force."""
    match = PATHS.fullmatch(path)
    if match is None:
        return None
    interface = look.element(match[1])
    if match[2] == "queues":
        target = look.element(f"{match[1]}/target")
        tap = target.get("dev") if target is not None else None
        if not tap or not re.fullmatch(r"[A-Za-z0-9_.-]{1,15}", tap):
            return Seen(None, look.arguments, "the card has no tap on this host")
        folder = f"sys/class/net/{tap}/queues"
        try:
            count = sum(name.startswith("tx-") for name in look.files.names(folder))
        except OSError as problem:
            return Seen(None, f"/{folder}", f"/{folder} cannot be read: {problem.strerror}")
        return Seen(str(count), f"/{folder}")
    device = look.device(match[1])
    if device is None:
        return Seen(None, look.arguments, "the card is not in QEMU's command line: it was plugged in later")
    found = word(device, match[2])
    where = f"{look.arguments}, -device {match[2]}="
    by_tap = interface is not None and interface.get("type") not in ("vhostuser", "vdpa")
    if match[2] == "tx_queue_size" and by_tap and found is not None and int(found) > TAP_RING:
        return Seen(str(TAP_RING), f"{where}, which QEMU shortens to {TAP_RING} for a card that a tap serves")
    return Seen(found, where)
