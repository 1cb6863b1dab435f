"""Whole files written so that a reader, or a power cut, sees the old text or the new one and nothing between.

No link is followed below the root: neither in a folder of the path nor in the file's own place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

# No program that reads configuration folders takes a hidden file of this ending.
_NEW = ".{}.kvmnb-new"


def replace(root: str, path: str, text: str) -> None:
    """Put a file of this text at the path (mode 0644), making the folders that lead there; OSError as it fails."""
    with _folder(root, path, make=True) as (folder, name):
        _refuse_other_than_file(folder, name)
        new = _NEW.format(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(new, flags, 0o644, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.encode())
                stream.flush()
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
            os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new, dir_fd=folder)
            raise
        os.fsync(folder)


def remove(root: str, path: str) -> None:
    """Take the file away, and what a killed ``replace`` left beside it; one that is not there is no error."""
    try:
        with _folder(root, path, make=False) as (folder, name):
            _refuse_other_than_file(folder, name)
            for one in (name, _NEW.format(name)):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(one, dir_fd=folder)
            os.fsync(folder)
    except FileNotFoundError:
        return


@contextmanager
def _folder(root: str, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """The folder of a path, opened part by part without following a link, and the file's name in it."""
    *parts, name = path.split("/")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(root or "/", flags)
    try:
        for part in parts:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=folder)
            deeper = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = deeper
        yield folder, name
    finally:
        os.close(folder)


def _refuse_other_than_file(folder: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, "a link or a folder stands in the file's place", name)
