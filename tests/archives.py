"""Archives of test input, unpacked on every Python that kvmnb runs on."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable
from pathlib import Path


def extract(archive: tarfile.TarFile, folder: Path, members: Iterable[tarfile.TarInfo] | None = None) -> None:
    """Unpack plain files, folders, and links that stay inside; all else is left out.

    Python's own filters came with 3.11.4, which Debian 12 does not have.
    """
    chosen = [one for one in (archive if members is None else members) if _stays_inside(one)]
    for one in chosen:
        # Of whoever unpacks it: each owner's name would be looked up among the users of this machine.
        one.uid, one.gid, one.uname, one.gname = os.getuid(), os.getgid(), "", ""
        one.mode = (one.mode | 0o600) & 0o755
        if one.isdir():
            one.mode |= 0o700
    archive.extractall(folder, members=chosen)


def _stays_inside(member: tarfile.TarInfo) -> bool:
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return False
    beside = os.path.dirname(member.name) if member.issym() else ""
    places = [member.name]
    if member.issym() or member.islnk():
        places.append(os.path.join(beside, member.linkname))
    return not any(os.path.isabs(one) or os.path.normpath(one).split("/")[0] == ".." for one in places)
