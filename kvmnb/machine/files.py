"""A tree of small text files, read and, where the machine allows it, written under a root.

Nothing else in kvmnb opens a system file. The root is ``/`` on a live machine and a folder for a
recorded one; a link that leads out of a recorded tree is never followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kvmnb.core.errors import Refused
from kvmnb.machine import replacing

# The largest file a probe reads is /proc/interrupts of a 512-CPU host with 2000 lines, about 11 MiB.
MAX_BYTES = 16 * 1024**2


class Files:
    """The files of one machine, named without a leading slash: ``sys/devices/system/cpu/online``."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._prefix = "" if self.root == Path("/") else str(self.root)
        self._led_out = frozenset(_links_out_of(self.root)) if self._prefix else frozenset()

    def read(self, path: str) -> str:
        """The file's text, without trailing white space.

        Raises OSError as the kernel does, and ValueError where the text is not UTF-8, holds a NUL
        inside, or is larger than 16 MiB.
        """
        raw = self.read_bytes(path)
        text = raw.decode("utf-8").rstrip().rstrip("\0")
        if "\0" in text:
            raise ValueError("the file is binary")
        return text

    def read_bytes(self, path: str) -> bytes:
        """The file's bytes, at most 16 MiB of them."""
        descriptor = os.open(self._locate(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            raw = os.read(descriptor, 65_536)
            # procfs answers in chunks, so only a recorded (plain) file is whole after one short read.
            if raw and (len(raw) == 65_536 or not self._prefix):
                raw += _rest(descriptor, len(raw))
        finally:
            os.close(descriptor)
        return raw

    def exists(self, path: str) -> bool:
        """Whether something stands at the path."""
        try:
            return os.path.exists(self._locate(path))
        except OSError:
            return False

    def link(self, path: str) -> str:
        """Where a link points to, as it is written; OSError where there is none.

        A recording holds no links: there a plain file in a link's place holds the target as its text.
        """
        located = self._locate(path)
        try:
            return os.readlink(located)
        except OSError:
            if self._prefix and os.path.isfile(located):
                return self.read(path)
            raise

    def names(self, path: str) -> list[str]:
        """The names in a folder, sorted; OSError where it cannot be read."""
        return sorted(os.listdir(self._locate(path)))

    def writable(self, path: str) -> bool:
        """Whether this process may write the file (asked of the kernel, nothing is opened)."""
        return os.access(self._locate(path), os.W_OK)

    def write(self, path: str, value: str) -> None:
        """Write a kernel file in one call, as ``echo`` does; OSError as the kernel answers."""
        descriptor = os.open(self._locate(path), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.write(descriptor, value.encode())
        finally:
            os.close(descriptor)

    def put(self, path: str, text: str) -> None:
        """Make this the whole text of a plain file, at once and on disk; no link is followed; OSError as it fails."""
        self._locate(path)
        replacing.replace(self._prefix, path, text)

    def remove(self, path: str) -> None:
        """Take a plain file away; one that is not there is no error."""
        self._locate(path)
        replacing.remove(self._prefix, path)

    def ethtool(self, names: Sequence[str]) -> Mapping[str, Any] | None:
        """What the kernel answers of these NICs as ``ethtool`` asks; None where no kernel is behind the tree."""
        if self._prefix:
            return None
        from kvmnb.machine.ethtool import ethtool_answers

        return ethtool_answers(names)

    def set_nic(self, name: str, part: str, key: str, value: int) -> None:
        """Set one setting of a NIC as ``netlink.set_nic`` does; OSError as the kernel refuses."""
        from kvmnb.machine.netlink import set_nic

        set_nic(name, part, key, value)

    def set_atime(self, path: str, word: str) -> None:
        """Make a mount take access times as ``relatime``, ``noatime`` or ``strictatime`` says; OSError as it fails."""
        from kvmnb.machine.remount import set_atime

        set_atime(path, word)

    def batches(self) -> Iterator[None]:
        """The passes that a probe makes over the files: one, where reading a file costs nothing."""
        yield

    def close(self) -> None:
        """Let go of what the tree is read through."""

    def _locate(self, path: str) -> str:
        if path.startswith("/") or "\0" in path or ".." in path.split("/"):
            raise Refused(f"{path!r} is not a path inside a machine's tree")
        if self._led_out and any(f"{path}/".startswith(f"{link}/") for link in self._led_out):
            raise PermissionError(1, "the path leads out of the recorded tree", path)
        return f"{self._prefix}/{path}"


class ReadOnlyFiles(Files):
    """The files of a recording: every write is refused."""

    def writable(self, path: str) -> bool:
        return False

    def write(self, path: str, value: str) -> None:
        raise _of_recording(path)

    def put(self, path: str, text: str) -> None:
        raise _of_recording(path)

    def remove(self, path: str) -> None:
        raise _of_recording(path)

    def set_nic(self, name: str, part: str, key: str, value: int) -> None:
        raise _of_recording(f"sys/class/net/{name}")

    def set_atime(self, path: str, word: str) -> None:
        raise _of_recording(path.lstrip("/"))


def _of_recording(path: str) -> Refused:
    return Refused(f"/{path} belongs to a recording, which takes no writes; use a scratch copy of it")


def _rest(descriptor: int, already: int) -> bytes:
    parts: list[bytes] = []
    total = already
    while chunk := os.read(descriptor, 1024**2):
        parts.append(chunk)
        total += len(chunk)
        if total > MAX_BYTES:
            raise ValueError(f"the file is larger than {MAX_BYTES // 1024**2} MiB")
    return b"".join(parts)


def _links_out_of(root: Path) -> Iterator[str]:
    """The links of a tree whose target lies outside it, as paths below the root."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = os.scandir(f"{root}/{folder}")
        except OSError:
            # What cannot be looked into cannot be read either; the reader meets the same refusal.
            continue
        with entries:
            for entry in entries:
                path = f"{folder}/{entry.name}".lstrip("/")
                if entry.is_symlink():
                    target = os.path.realpath(entry.path)
                    if target != str(root) and not target.startswith(f"{root}/"):
                        yield path
                elif entry.is_dir(follow_symlinks=False):
                    pending.append(path)
