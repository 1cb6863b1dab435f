"""A host's mounts, from ``/proc/self/mountinfo``."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.storage import BlockDevice, Mount, device_named, mount_of
from kvmnb.probe.reader import Reader, seen

_OCTAL = re.compile(r"\\([0-3][0-7]{2})")
# The kernel follows at most 40 links (MAXSYMLINKS); udev's are one or two deep.
_MOST_LINKS = 8


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of either file."""

    id: int
    parent: int
    number: str | None
    root: str
    mount_point: str
    options: tuple[str, ...]
    fs_type: str
    source: str


def probe_mounts(read: Reader, blocks: Sequence[BlockDevice]) -> tuple[Mount, ...]:
    """Every mount in the kernel's order, with the block device it is on."""
    lines = read.parse("proc/self/mountinfo", "host.mounts", parse_mountinfo, None)
    if lines is None:
        lines = read.parse("proc/mounts", "host.mounts", parse_mounts)
    if not seen(lines):
        return cast(tuple[()], lines)
    known = blocks if seen(blocks) else ()
    names = dict(_numbers(known))
    mounts = tuple(
        Mount(
            id=line.id,
            parent=line.parent,
            mount_point=line.mount_point,
            root=line.root,
            fs_type=line.fs_type,
            options=line.options,
            source=line.source,
            number=line.number,
            device=_device(line, names, known),
        )
        for line in lines
    )
    return mounts if any(line.id >= 0 for line in lines) else _with_parents(mounts)


def device_links(read: Reader, paths: Iterable[str]) -> dict[str, str]:
    """Where those of the paths that are links below ``/dev`` lead to; the links are read, no device is opened."""
    return {path: target for path in set(paths) if (target := _follow(read, path)) != path}


def parse_mountinfo(text: str) -> tuple[_Line, ...]:
    """The lines of ``/proc/self/mountinfo``.

    >>> parse_mountinfo(r"41 22 259:2 / /srv/a\\\\040b rw,noatime shared:21 - xfs /dev/nvme1n1p1 ro,noquota")[0].options
    ('ro', 'noatime', 'noquota')
    """
    found = []
    for line in text.splitlines():
        front, dash, back = line.partition(" - ")
        fields, behind = front.split(" "), back.split(" ")
        if not dash or len(fields) < 6 or len(behind) < 2 or not re.fullmatch(r"\d{1,10}:\d{1,10}", fields[2]):
            raise ValueError(f"{line[:60]!r} is not a line of mountinfo")
        found.append(
            _Line(
                id=_integer(fields[0]),
                parent=_integer(fields[1]),
                number=fields[2],
                root=unescape(fields[3]),
                mount_point=unescape(fields[4]),
                options=_options(fields[5], behind[2] if len(behind) > 2 else ""),
                fs_type=unescape(behind[0]),
                source=unescape(behind[1]),
            )
        )
    if not found:
        raise ValueError("it is empty")
    return tuple(found)


def parse_mounts(text: str) -> tuple[_Line, ...]:
    """The lines of ``/proc/mounts``, which tells neither numbers nor what a mount stands on.

    >>> parse_mounts("/dev/sda2 / ext4 rw,relatime 0 0")[0].source
    '/dev/sda2'
    """
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) < 4:
            raise ValueError(f"{line[:60]!r} is not a line of mounts")
        source, mount_point, fs_type, options = map(unescape, fields[:4])
        found.append(_Line(-1, -1, None, "/", mount_point, _options(options, ""), fs_type, source))
    if not found:
        raise ValueError("it is empty")
    return tuple(found)


def unescape(text: str) -> str:
    r"""A field as it was named: the kernel writes space, tab, newline, backslash and ``#`` in octal.

    >>> unescape(r"/srv/my\040images\134x")
    '/srv/my images\\x'
    """
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def _options(of_mount: str, of_file_system: str) -> tuple[str, ...]:
    words = [*of_mount.split(","), *of_file_system.split(",")]
    # A file system that is read-only is so through every mount, and the other way round.
    first = "ro" if "ro" in words else "rw"
    return tuple(dict.fromkeys([first, *(word for word in words if word not in ("", "ro", "rw"))]))


def _integer(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text):
        raise ValueError(f"{text[:40]!r} is not a mount's number")
    return int(text)


def _device(line: _Line, names: dict[str, str], blocks: Sequence[BlockDevice]) -> str | None:
    if line.number in names:
        return names[line.number]
    # btrfs bears a number of its own, and older recordings have none: the source then names the device.
    return device_named(posixpath.normpath(line.source), blocks) if line.source.startswith("/dev/") else None


def _numbers(blocks: Iterable[BlockDevice]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        partitions = block.partitions if block.gap_of("partitions") is None else ()
        for one in (block, *partitions):
            if one.gap_of("number") is None and one.number is not None:
                yield one.number, one.name


def _with_parents(mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """Numbers for mounts that have none: each one stands on what held its mount point before it came."""
    found: list[Mount] = []
    for position, mount in enumerate(mounts):
        under = mount_of(mount.mount_point, found)
        found.append(replace(mount, id=position, parent=position if under is None else under.id))
    return tuple(found)


def _follow(read: Reader, path: str) -> str:
    for _ in range(_MOST_LINKS):
        if not path.startswith("/dev/"):
            break
        try:
            target = read.files.link(path.removeprefix("/"))
        except (OSError, ValueError, KvmnbError):
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return path
