"""Archives of test input, unpacked on every Python that kvmnb runs on."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable
from pathlib import Path


def extract(archive: tarfile.TarFile, folder: Path, members: Iterable[tarfile.TarInfo] | None = None) -> None:
    """Unpack plain files, folders, and links that stay inside; all else is left out.

    Names and contents only: owners, modes and times of fifty thousand small files take longer than the files.
    Python's own filters came with 3.11.4, which Debian 12 does not have.
    """
    made: set[str] = set()
    for one in archive if members is None else members:
        if not _stays_inside(one):
            continue
        path = os.path.join(folder, one.name)
        above = path if one.isdir() else os.path.dirname(path)
        if above not in made:
            os.makedirs(above, exist_ok=True)
            made.add(above)
        if one.isdir():
            continue
        if os.path.lexists(path):
            os.unlink(path)
        if one.issym():
            os.symlink(one.linkname, path)
        elif one.islnk():
            os.link(os.path.join(folder, one.linkname), path)
        else:
            _write(archive, one, path)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    packed = archive.extractfile(member)
    assert packed is not None
    with open(path, "wb", buffering=0) as file:
        file.write(packed.read())


def _stays_inside(member: tarfile.TarInfo) -> bool:
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return False
    beside = os.path.dirname(member.name) if member.issym() else ""
    places = [member.name]
    if member.issym() or member.islnk():
        places.append(os.path.join(beside, member.linkname))
    return not any(os.path.isabs(one) or os.path.normpath(one).split("/")[0] == ".." for one in places)
