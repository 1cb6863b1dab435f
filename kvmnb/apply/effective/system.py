"""A guest's machine type and CPU model, from QEMU's command line."""

from __future__ import annotations

import re

from kvmnb.apply.effective.look import Look, Seen
from kvmnb.probe.running import machine_of

PATHS = re.compile(r"os/type/@machine|cpu/@mode|cpu/model/text\(\)")


def look_at(look: Look, path: str, value: str) -> Seen | None:
    """The machine type or the CPU as QEMU was started with it."""
    if PATHS.fullmatch(path) is None:
        return None
    if path.startswith("os/"):
        return Seen(machine_of(look.process.arguments), f"{look.arguments}, -machine")
    model = next((str(one.get("driver", "")) for one in look.options("-cpu")), "")
    where = f"{look.arguments}, -cpu {model or 'is absent'}"
    if path == "cpu/@mode":
        # A host-model is started as the named model that libvirt took for the host's.
        modes = {"host": "host-passthrough", "max": "maximum"}
        found = modes.get(model) or ("host-model" if value == "host-model" and model else "custom")
        return Seen(found, where)
    return Seen(model, where)
