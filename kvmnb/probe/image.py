"""Disk images and their backing chains, asked of ``stat`` and ``qemu-img`` one image at a time.

Every path comes from domain XML or from another image, so it is hostile text. qemu-img takes a name
such as ``nbd:…`` or ``json:…`` for an order to connect somewhere, opens device nodes of any kind, and
guesses a format from bytes that a guest may have written. So only absolute paths of regular files and
block devices are asked, with the format that the domain or the image above names, and the chain is
walked here rather than by ``--backing-chain``.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from kvmnb.core.errors import NotAnswered
from kvmnb.facts.device import Disk
from kvmnb.facts.gap import Gap
from kvmnb.facts.image import DiskImage, Image, Space
from kvmnb.machine.commands import Answer, Commands, Late

TIMEOUT_SECONDS = 5.0
# An audit waits for its images; what is not told by then is a gap.
ALL_SECONDS = 20.0
# QEMU opens one image per layer; libvirt refuses chains deeper than 200.
MAX_DEPTH = 200
# Formats whose header names no other file but a backing image; vmdk lists parts to open.
FORMATS = frozenset({"raw", "qcow2", "qed", "qcow", "vdi", "vpc", "vhdx", "luks"})
_FOREIGN = ("/proc/", "/sys/")


class _NoFact(Exception):
    """An image cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands at a path."""

    block_device: bool
    number: str
    identity: tuple[int, int]


class Images:
    """The images of one survey, each asked for once."""

    def __init__(
        self,
        commands: Commands | None,
        unasked: str = "the host's programs cannot be asked",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``commands`` is None where none may be run for this machine; ``unasked`` then says why."""
        self._now = now
        self._until: float | None = None
        self._commands = commands
        self._unasked = unasked
        self._known: dict[tuple[str, str], Image | Gap] = {}
        self._silent: set[str] = set()

    def image(self, path: str, format: str) -> Image:
        """One image and those below it; a gap named ``images[PATH]`` where it cannot be read."""
        return cast(Image, self._image(path, format, ()))

    def of_disks(self, disks: Iterable[Disk]) -> tuple[DiskImage, ...]:
        """The image of each disk that is a file or a block device; network disks and empty drives have none."""
        found = []
        for disk in disks:
            target = cast(str, disk.gap_of("target") or disk.target)
            unseen = disk.gap_of("file") or disk.gap_of("block") or disk.gap_of("format")
            if unseen is not None:
                found.append(DiskImage(target=target, image=cast(Image, unseen)))
            elif path := disk.file or disk.block:
                # libvirt takes a disk without a format for raw.
                found.append(DiskImage(target=target, image=self.image(path, disk.format or "raw")))
        return tuple(found)

    def _image(self, path: str, format: str, above: tuple[_Place, ...]) -> Image | Gap:
        known = self._known.get((path, format))
        if known is None:
            try:
                known = self._read(path, format, above)
            except _NoFact as reason:
                known = Gap(f"images[{path}]", str(reason))
            self._known[path, format] = known
        return known

    def _read(self, path: str, format: str, above: tuple[_Place, ...]) -> Image:
        if format not in FORMATS:
            raise _NoFact(f"its format {format[:20]!r} is not one that is safe to ask about")
        place = self._place(path)
        if place in above:
            raise _NoFact("the backing chain leads back to it")
        answer = self._ask(path, ("qemu-img", "info", "-U", "--output=json", "-f", format, "--", path))
        if answer.code != 0:
            raise _NoFact(_complaint("qemu-img", answer))
        try:
            told = json.loads(answer.stdout)
        except (ValueError, RecursionError) as problem:
            raise _NoFact(f"qemu-img's answer is not JSON: {problem}") from None
        read = _Told(told, f"images[{path}]")
        special = read.below("format-specific").below("data")
        full = read.text("full-backing-filename", read.text("backing-filename", None))
        backing_format = read.text("backing-filename-format", None)
        return Image(
            path=path,
            format=format,
            block_device=place.block_device,
            number=place.number,
            virtual_bytes=read.integer("virtual-size"),
            actual_bytes=None if place.block_device else read.integer("actual-size", None),
            cluster_bytes=read.integer("cluster-size", None),
            compat=special.text("compat", None),
            lazy_refcounts=special.flag("lazy-refcounts", None),
            extended_l2=special.flag("extended-l2", False if format == "qcow2" else None),
            corrupt=special.flag("corrupt", None),
            data_file=special.text("data-file", None),
            encrypted=read.flag("encrypted", False),
            snapshots=read.count("snapshots"),
            bitmaps=special.count("bitmaps"),
            space=None if place.block_device else self._space(path),
            backing_file=read.text("backing-filename", None),
            backing_format=backing_format,
            backing=cast(None, self._backing(full, backing_format, (*above, place))),
        )

    def _backing(self, path: object, format: object, chain: tuple[_Place, ...]) -> Image | Gap | None:
        if not isinstance(path, str):
            return cast(Gap | None, path)
        fact = f"images[{path}]"
        if len(chain) >= MAX_DEPTH:
            return Gap(fact, f"its backing chain is deeper than {MAX_DEPTH} images")
        if not isinstance(format, str):
            return Gap(fact, "the image above does not name its format, and a format is never guessed")
        return self._image(path, format, chain)

    def _place(self, path: str) -> _Place:
        if not path.startswith("/"):
            raise _NoFact("it is no absolute path of this host, so it is not opened")
        if f"{posixpath.normpath(path).replace('//', '/')}/".startswith(_FOREIGN):
            raise _NoFact("it lies in a file system of the kernel, so it is not opened")
        # Asked of a program, since a look at dead network storage would hang this process.
        answer = self._ask(path, ("stat", "-L", "-c", "%f %d %i %t %T", "--", path))
        if answer.code != 0:
            raise _NoFact(_complaint("stat", answer))
        match = re.fullmatch(r"([0-9a-f]{1,8}) (\d{1,20}) (\d{1,20}) ([0-9a-f]{1,8}) ([0-9a-f]{1,8})\s*", answer.stdout)
        if match is None:
            raise _NoFact("stat's answer was not understood")
        mode, device, inode = int(match[1], 16), int(match[2]), int(match[3])
        if stat.S_ISBLK(mode):
            major, minor = int(match[4], 16), int(match[5], 16)
            return _Place(True, f"{major}:{minor}", (major, minor))
        if not stat.S_ISREG(mode):
            raise _NoFact("it is neither a file nor a block device, so it is not opened")
        return _Place(False, f"{os.major(device)}:{os.minor(device)}", (device, inode))

    def _space(self, path: str) -> Space:
        """The room on the file system of a path, in blocks of its own size."""
        fact = f"images[{path}].space"
        try:
            answer = self._ask(path, ("stat", "-f", "-L", "-c", "%S %b %a", "--", path))
        except _NoFact as reason:
            return cast(Space, Gap(fact, str(reason)))
        match = re.fullmatch(r"(\d{1,10}) (\d{1,20}) (\d{1,20})\s*", answer.stdout)
        if answer.code != 0 or match is None:
            return cast(Space, Gap(fact, _complaint("stat", answer)))
        size, total, free = (int(one) for one in match.groups())
        return Space(total_bytes=size * total, free_bytes=size * free)

    def _ask(self, path: str, argv: tuple[str, ...]) -> Answer:
        if self._commands is None:
            raise _NoFact(self._unasked)
        folder = posixpath.dirname(path)
        if folder in self._silent:
            raise _NoFact("not asked: its folder did not answer before")
        if self._until is None:
            self._until = self._now() + ALL_SECONDS
        elif self._now() > self._until:
            raise _NoFact(f"not asked: the images before it took {ALL_SECONDS:.0f} seconds")
        try:
            return self._commands.run(argv, TIMEOUT_SECONDS)
        except NotAnswered as problem:
            if isinstance(problem, Late):
                self._silent.add(folder)
            raise _NoFact(str(problem)) from None


class _Told:
    """Reads one object of qemu-img's answer; what is not as documented comes back as a Gap."""

    def __init__(self, value: object, fact: str) -> None:
        self._members: dict[str, Any] = value if isinstance(value, dict) else {}
        self._fact = fact

    def below(self, name: str) -> _Told:
        return _Told(self._members.get(name), self._fact)

    def integer(self, name: str, *absent: None) -> int:
        return cast(int, self._member(name, int, absent))

    def text(self, name: str, absent: str | None) -> str | None:
        return cast(str | None, self._member(name, str, (absent,)))

    def flag(self, name: str, absent: bool | None) -> bool:
        return cast(bool, self._member(name, bool, (absent,)))

    def count(self, name: str) -> int:
        found = self._member(name, list, ([],))
        return len(found) if isinstance(found, list) else cast(int, found)

    def _member(self, name: str, kind: type, absent: tuple[object, ...]) -> object:
        value = self._members.get(name)
        if value is None and absent:
            return absent[0]
        # JSON's true is a number to Python; and no size is negative or needs more than 64 bits.
        if type(value) is not kind or (type(value) is int and not 0 <= value < 2**64):
            return Gap(self._fact, f"qemu-img's answer has no usable {name!r}")
        return value


def _complaint(program: str, answer: Answer) -> str:
    """Why a program failed, in its own words on one line; the right that is missing, where it says so."""
    words = " ".join("".join(c if c.isprintable() else " " for c in answer.stderr).split())
    if "Permission denied" in words or "Operation not permitted" in words:
        return f"needs root: {program}: {words[-200:]}"
    return f"{program}: {words[-200:] or f'it failed with code {answer.code}'}"
