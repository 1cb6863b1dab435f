"""Changing how a mount keeps access times, and nothing else of it.

``mount_setattr(2)`` (Linux 5.12) changes the one attribute; ``mount -o remount`` would take the other
options from ``/etc/fstab`` along.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct

_CALL = 442  # the same number on every architecture
_AT_FDCWD, _AT_SYMLINK_NOFOLLOW, _AT_NO_AUTOMOUNT = -100, 0x100, 0x800
_ATIME = 0x70
_WORDS = {"relatime": 0x00, "noatime": 0x10, "strictatime": 0x20}


def set_atime(path: str, word: str) -> None:
    """Set ``relatime``, ``noatime`` or ``strictatime`` on the mount at a path; OSError as the kernel refuses."""
    attributes = ctypes.create_string_buffer(struct.pack("=QQQQ", _WORDS[word], _ATIME, 0, 0), 32)
    library = ctypes.CDLL(None, use_errno=True)
    done = library.syscall(
        ctypes.c_long(_CALL),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.c_uint(_AT_SYMLINK_NOFOLLOW | _AT_NO_AUTOMOUNT),
        attributes,
        ctypes.c_size_t(32),
    )
    if done != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)


def mount_point(field: str) -> str:
    """A path as ``/proc/PID/mountinfo`` spells it: blanks and such as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
