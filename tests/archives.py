"""Archives of test input, unpacked on every Python that kvmnb runs on."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from pathlib import Path


def extract(archive: tarfile.TarFile, folder: Path, members: Iterable[tarfile.TarInfo] | None = None) -> None:
    """Unpack an archive; where Python can (3.11.4 and later, not Debian 12's own), refusing what leads out of it."""
    chosen = None if members is None else list(members)
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, members=chosen, filter="data")
    else:
        archive.extractall(folder, members=chosen)
