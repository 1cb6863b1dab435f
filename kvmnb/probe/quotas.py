"""A guest's control groups that have a CPU quota, and what their ``cpu.stat`` tells."""

from __future__ import annotations

import re

from kvmnb.machine.files import Files

WHOLE = "guest"
# What libvirt makes below a guest's group; in cgroup v2 it lies in one more folder, beside systemd's own.
BELOW = re.compile(r"vcpu\d+|emulator|iothread\d+")


def groups_with_quota(files: Files, pid: int) -> dict[str, str]:
    """The groups of a guest's process that have a CPU quota, by their label; none where it has no group."""
    try:
        text = files.read(f"proc/{pid}/cgroup")
    except OSError:
        return {}
    return {label: folder for label, folder in _groups(files, text).items() if _has_quota(files, folder)}


def told(text: str) -> dict[str, int]:
    """The lines of a ``cpu.stat``.

    >>> told("nr_periods 10\\nnr_throttled 3\\n")
    {'nr_periods': 10, 'nr_throttled': 3}
    """
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}


def _groups(files: Files, text: str) -> dict[str, str]:
    """The cgroup of the guest and those below it."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = f"sys/fs/cgroup/{controllers}" if controllers else "sys/fs/cgroup"
        if controllers and not files.exists(root):
            root = "sys/fs/cgroup/cpu"
        # A thread of QEMU is in the group of what it does; the guest's own is above that.
        parts = [part for part in path.split("/") if part]
        if ".." in parts:
            continue
        while parts and (BELOW.fullmatch(parts[-1]) or parts[-1] == "libvirt"):
            parts.pop()
        if not parts:
            continue
        own = "/".join([root, *parts])
        if not files.exists(own) or (not controllers and not files.exists(f"{own}/cpu.stat")):
            continue
        below = f"{own}/libvirt" if files.exists(f"{own}/libvirt") else own
        found = {WHOLE: own}
        found.update({name: f"{below}/{name}" for name in files.names(below) if BELOW.fullmatch(name)})
        return found
    return {}


def _has_quota(files: Files, folder: str) -> bool:
    for name in ("cpu.max", "cpu.cfs_quota_us"):
        try:
            return files.read(f"{folder}/{name}").split()[0] not in ("max", "-1")
        except (OSError, ValueError, IndexError):
            continue
    return False
