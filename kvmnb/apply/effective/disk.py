"""A disk's cache, I/O mode, discard, queues and iothread, in QEMU's command line and the flags of its open image."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from kvmnb.apply.effective.look import Look, Seen, word
from kvmnb.core.errors import KvmnbError
from kvmnb.machine.arguments import Option

PATHS = re.compile(
    r"(devices/disk\[[^\]]+\])/driver/@(cache|io|discard|detect_zeroes|queues|queue_size|iothread)"
    r"|(devices/controller\[[^\]]+\]\[[^\]]+\])/driver/@(queues|iothread)"
)
_ARGUMENT = {"queues": "num-queues", "queue_size": "queue-size"}

# (no writeback in the guest, O_DIRECT, flushes ignored) by libvirt's word; libvirt's formatdomain, cache.
_CACHES = {
    (True, True, False): "none",
    (True, False, False): "writeback",
    (False, False, False): "writethrough",
    (False, True, False): "directsync",
    (True, False, True): "unsafe",
}


def look_at(look: Look, path: str, value: str) -> Seen | None:
    """The attribute as QEMU runs with it; None where its command line does not tell."""
    match = PATHS.fullmatch(path)
    if match is None:
        return None
    device = look.device(match[1] or match[3])
    if device is None:
        return Seen(None, look.arguments, "the device is not in QEMU's command line: it was plugged in later")
    name = match[2] or match[4]
    if name == "iothread":
        found = word(device, "iothread")
        return Seen(found.removeprefix("iothread") if found else None, f"{look.arguments}, -device iothread=")
    if match[3]:
        return Seen(word(device, "num_queues"), f"{look.arguments}, -device num_queues=")
    if name in _ARGUMENT:
        return Seen(word(device, _ARGUMENT[name]), f"{look.arguments}, -device {_ARGUMENT[name]}=")
    layers = list(_layers(look, device))
    if not layers:
        return None
    if name == "cache":
        return _cache(look, device, layers)
    if name == "io":
        return Seen(_first(layers, "aio") or "threads", f"{look.arguments}, -blockdev aio=")
    key = name.replace("_", "-")
    return Seen(_first(layers, key), f"{look.arguments}, -blockdev {key}=")


def _layers(look: Look, device: Option) -> Iterator[Option]:
    """The ``-blockdev`` of a device and those below it, the format first."""
    nodes = {one.get("node-name"): one for one in look.options("-blockdev")}
    name: Any = device.get("drive")
    for _ in range(8):
        node = nodes.get(name)
        if node is None:
            return
        yield node
        name = node.get("file")


def _cache(look: Look, device: Option, layers: list[Option]) -> Seen:
    """By the flags of the image's descriptor, which the kernel knows; what it cannot know is in the command line."""
    cache: Any = next((one["cache"] for one in layers if isinstance(one.get("cache"), dict)), {})
    writeback = word(device, "write-cache", "on") in ("on", "True", "auto")
    direct: bool | None = None
    where = f"{look.arguments}, -blockdev cache="
    image = _first(layers, "filename")
    if image is not None:
        try:
            for number in look.files.names(f"proc/{look.process.pid}/fd"):
                if look.files.link(f"proc/{look.process.pid}/fd/{number}") == image:
                    told = f"proc/{look.process.pid}/fdinfo/{number}"
                    flags = re.search(r"^flags:\s*([0-7]+)", look.files.read(told), re.MULTILINE)
                    if flags is not None:
                        direct, where = bool(int(flags[1], 8) & os.O_DIRECT), f"/{told}, flags"
        except (OSError, ValueError, KvmnbError) as problem:
            return Seen(None, where, f"the open files of process {look.process.pid} cannot be read: {problem}")
    if direct is None:
        direct = bool(cache.get("direct"))
    return Seen(_CACHES.get((writeback, direct, bool(cache.get("no-flush")))), where)


def _first(layers: list[Option], key: str) -> str | None:
    return next((str(one[key]) for one in reversed(layers) if key in one), None)
