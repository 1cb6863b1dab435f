"""The processes and cgroups of a lab: which they are, and how nothing of them is left.

Needs the standard library only: the supervisor runs before anything else of the tests is imported.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def members(root: Path) -> Iterator[int]:
    """Yield the process ids of the lab at ``root``: those that see its folder as /var/lib/libvirt.

    The folder's random name makes this exact for running labs and for what a killed one left behind.
    """
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            for line in (folder / "mountinfo").read_text().splitlines():
                source, target = line.split(" ", 5)[3:5]
                if target == "/var/lib/libvirt" and source.endswith(f"/{root.name}/var/lib/libvirt"):
                    yield int(folder.name)
                    break


def end(root: Path, *, name: str = "", patience: float = 3.0) -> None:
    """End the lab's processes (only those whose command begins with ``name``): SIGTERM, then SIGKILL."""
    deadline = time.monotonic() + patience
    while found := [pid for pid in members(root) if pid != os.getpid() and _command(pid).startswith(name)]:
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for pid in found:
            with contextlib.suppress(OSError):
                descriptor = os.pidfd_open(pid)
                # Only after the descriptor is held is it certain that the id still means this process.
                if pid in members(root):
                    signal.pidfd_send_signal(descriptor, number)
                os.close(descriptor)
        pause = time.monotonic() + 0.3
        while time.monotonic() < pause and any(alive(pid) for pid in found):
            time.sleep(0.01)
    _reap()


def sweep(root: Path) -> None:
    """Remove what a lab left whose supervisor was killed; a lab that runs holds its lock and is spared."""
    try:
        lock = os.open(root / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    remove(root)
    os.close(lock)


def remove(root: Path) -> None:
    """End what still runs, then remove the lab's cgroups and its folder."""
    groups = cgroups(root)
    end(root, name="qemu")
    end(root)
    for group in groups:
        for folder, _, _ in os.walk(group, topdown=False):
            remove_group(Path(folder))
    # Nothing is removed through a mount: where one stays, the folder stays too.
    if unmount_below(root):
        shutil.rmtree(root, ignore_errors=True)


def unmount_below(root: Path) -> bool:
    """Unmount what this namespace has mounted in a folder, the last first; whether nothing is left."""
    for place in reversed(_mounted(root)):
        subprocess.run(["umount", place], capture_output=True, check=False)
    return not _mounted(root)


def _mounted(root: Path) -> list[str]:
    """The mount points below a folder, in the order of their mounting."""
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return [point for point in points if point.startswith(f"{root}/")]


def remove_group(group: Path) -> None:
    """Remove one cgroup; the kernel may call it busy for a moment after its last process ended."""
    for _ in range(50):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)
        else:
            return


def cgroups(root: Path) -> set[Path]:
    """Name the cgroup folder of each of the lab's guests in every hierarchy (version 1 and 2)."""
    found: set[Path] = set()
    for pid in members(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                parts = path.split("/")
                last = [number for number, part in enumerate(parts) if "qemu-" in part and "libvirt" in part]
                if last:
                    under = controllers.removeprefix("name=") if controllers else ""
                    found |= {
                        Path("/sys/fs/cgroup", top, *parts[1 : last[0] + 1])
                        for top in (under, "" if controllers else "unified")
                    }
    return {path for path in found if path.is_dir()}


def machine_groups() -> set[Path]:
    """Name the ``machine`` folders libvirt keeps its guests' cgroups in."""
    return {path for pattern in ("machine", "*/machine") for path in Path("/sys/fs/cgroup").glob(pattern)}


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
