"""The folder beside a recording that is being made: parts that are whole at any moment, and age.

A part's name tells which readings it holds (by the number of the piece, first to last) and the length of its
stretches. A part that was joined from others holds their numbers, so that after a kill between the writing of the
one and the removal of the others nothing is read twice.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.recording.form import settle

COVER = "cover.json"
LOCK = "lock"
_PART = re.compile(r"(\d{9})-(\d{9})\.(\d{1,4})\.parquet")
_NEW = ".new"


class Part(NamedTuple):
    """One file of the folder."""

    first: int
    last: int
    stretch: int
    """Seconds; 0 where values are as they were read."""

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"{self.first:09d}-{self.last:09d}.{self.stretch}.parquet"


def parts_in(folder: Path) -> list[Part]:
    """The parts that count, in their order; what a wider one holds is left out."""
    found = []
    for name in os.listdir(folder):
        match = _PART.fullmatch(name)
        if match:
            found.append(Part(int(match[1]), int(match[2]), int(match[3])))
    kept: list[Part] = []
    # Of two that hold the same piece the coarser one came later.
    for part in sorted(found, key=lambda one: (one.first, -one.last, -one.stretch)):
        if not kept or part.last > kept[-1].last:
            kept.append(part)
    return kept


def is_made_now(folder: Path) -> bool:
    """Whether a recorder holds the folder."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # A file system without locks.
        return False
    finally:
        os.close(descriptor)
    return False


class Folder:
    """The parts of one recording, held by its recorder alone."""

    def __init__(self, path: Path) -> None:
        """Make the folder; OSError where it cannot be made."""
        self.path = path
        self._cover: str | None = None
        os.mkdir(path, 0o700)
        try:
            self._lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except BaseException:
            os.rmdir(path)
            raise
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            # There are file systems without locks; there nobody sees that the recording is being made.
            if problem.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                raise

    def place(self, part: Part) -> Path:
        """Where a part is."""
        return self.path / part.name

    def new(self, part: Part) -> Path:
        """Where a part is written before ``take``; nothing is there."""
        path = self.path / f"{part.name}{_NEW}"
        with suppress(FileNotFoundError):
            path.unlink()
        return path

    def take(self, part: Part, instead_of: tuple[Part, ...] = ()) -> None:
        """Put a part that was written in its place, and take away those that it holds, when it is on the disk."""
        if instead_of:
            settle(self.path / f"{part.name}{_NEW}")
        os.rename(self.path / f"{part.name}{_NEW}", self.place(part))
        for one in instead_of:
            self.drop(one)

    def drop(self, part: Part) -> None:
        """Take a part away."""
        with suppress(FileNotFoundError):
            self.place(part).unlink()

    def write_cover(self, text: str) -> None:
        """Put the cover's text in its place, whole; nothing is done where it stands there."""
        if text == self._cover:
            return
        self._cover = text
        new = self.path / f"{COVER}{_NEW}"
        with open(new, "w", encoding="utf-8") as stream:
            stream.write(text)
        settle(new)
        os.rename(new, self.path / COVER)

    def release(self) -> None:
        """Let go of the lock; the folder stays."""
        os.close(self._lock)

    def remove(self) -> None:
        """Take the folder away with all that a recorder put into it; what is not its own stays, and so the folder."""
        self.release()
        remove(self.path)


def remove(path: Path) -> None:
    """Take a folder of parts away; KvmnbError where it holds what no recorder wrote."""
    for name in os.listdir(path):
        own = name.removesuffix(_NEW)
        if own in (COVER, LOCK) or _PART.fullmatch(own) or own == WHOLE:
            (path / name).unlink()
    try:
        os.rmdir(path)
    except OSError as problem:
        raise KvmnbError(f"{path} is not removed: it holds files that no recorder of kvmnb wrote") from problem


WHOLE = "whole.parquet"
