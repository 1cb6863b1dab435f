"""The files of a recording made by ``kvmnb record``, which says of itself what it could not hold.

``dropped.json`` names files that were there and could not be read, with the kernel's word for why, and files
that were left out when the recording was scrubbed. Both are errors here as they were there: were they
simply absent, silence would pass for a default.
"""

from __future__ import annotations

import errno
import os
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from kvmnb.core import codec
from kvmnb.core.errors import SourceError
from kvmnb.machine.archive import Unpacked
from kvmnb.machine.files import ReadOnlyFiles

NOT_HELD = "dropped.json"


class RecordedFiles(ReadOnlyFiles):
    """A recording's files; a recording without ``dropped.json`` lacks nothing."""

    def __init__(self, root: Path, unpacked: Unpacked | None = None) -> None:
        """``unpacked`` is the folder that an archive was unpacked in, removed at the close."""
        super().__init__(root)
        self._unpacked = unpacked

    def close(self) -> None:
        if self._unpacked is not None:
            self._unpacked.remove()

    def read_bytes(self, path: str) -> bytes:
        self._refuse_not_held(path)
        return super().read_bytes(path)

    def exists(self, path: str) -> bool:
        return path in self._not_held or super().exists(path)

    def link(self, path: str) -> str:
        self._refuse_not_held(path)
        return super().link(path)

    def names(self, path: str) -> list[str]:
        self._refuse_not_held(path)
        return super().names(path)

    def _refuse_not_held(self, path: str) -> None:
        if path in self._not_held:
            _raise(path, self._not_held[path])

    @cached_property
    def _not_held(self) -> dict[str, str]:
        try:
            raw = (self.root / NOT_HELD).read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise SourceError(f"the recording {self.root} cannot be read: {NOT_HELD}: {problem.strerror}") from problem
        return codec.from_json(raw, dict[str, str], f"{self.root}/{NOT_HELD}")


def _raise(path: str, why: str) -> NoReturn:
    code = getattr(errno, why, None) if why.isascii() and why.startswith("E") else None
    if isinstance(code, int):
        raise OSError(code, os.strerror(code), f"/{path}")
    raise OSError(errno.ENODATA, "left out of the recording when it was scrubbed", f"/{path}")
