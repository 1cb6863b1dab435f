"""The kernel's own files, and kvmnb's in /etc, as kvmnb-root writes them: no link and no mount leads elsewhere.

Links inside sysfs are followed (``/sys/class/net/eth0`` is one), links out of it are not: openat2(2)
with RESOLVE_BENEATH says so to the kernel, and the file that was opened is asked which file system
it is on before a byte is written.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import stat
from pathlib import Path

from kvmnb.core.errors import Refused
from kvmnb.machine.files import Files

# linux/magic.h
_MAGICS = {"sys": 0x62656572, "proc": 0x9FA0}
# openat2's number is the same on every architecture that Debian 12 runs on (asm-generic/unistd.h).
_OPENAT2 = 437
_RESOLVE_NO_XDEV, _RESOLVE_NO_MAGICLINKS, _RESOLVE_BENEATH = 0x01, 0x02, 0x08

_LIBC = ctypes.CDLL(None, use_errno=True)


# The files that hold what a plan keeps beyond the next boot; each belongs to kvmnb alone.
_OWN = re.compile(
    r"etc/(?:(?:sysctl|tmpfiles|modprobe)\.d/[0-9a-z-]*kvmnb\.conf|udev/rules\.d/[0-9a-z-]*kvmnb\.rules"
    r"|default/grub\.d/[0-9a-z-]*kvmnb\.cfg)"
)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class KernelFiles(Files):
    """The files of this system as kvmnb-root writes them: below ``sys`` and ``proc``, and kvmnb's own in ``etc``."""

    def __init__(self) -> None:
        super().__init__(Path("/"))

    def write(self, path: str, value: str) -> None:
        """Write a kernel file in one call; Refused where the path leads out of the kernel's own trees."""
        tree, _, rest = path.partition("/")
        if tree not in _MAGICS or not rest:
            raise Refused(f"/{path[:120]} is no file of the kernel")
        self._locate(path)
        descriptor = open_beneath(f"/{tree}", rest)
        try:
            if file_system(descriptor) != _MAGICS[tree] or not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused(f"/{path} is not a file of the kernel's own {tree} tree; nothing was written")
            raw = value.encode()
            if os.write(descriptor, raw) != len(raw):
                raise OSError(errno.EIO, "the kernel took only a part of the value", f"/{path}")
        finally:
            os.close(descriptor)

    def put(self, path: str, text: str) -> None:
        """Write one of kvmnb's own files in /etc; Refused for any other."""
        _refuse_others_file(path)
        super().put(path, text)

    def remove(self, path: str) -> None:
        """Take one of kvmnb's own files in /etc away; Refused for any other."""
        _refuse_others_file(path)
        super().remove(path)


def _refuse_others_file(path: str) -> None:
    if not _OWN.fullmatch(path):
        raise Refused(f"/{path[:120]} is no file of kvmnb's own")


def file_system(descriptor: int) -> int:
    """The magic number of the file system that an open file is on (fstatfs(2))."""
    # struct statfs begins with f_type, a long, on every Linux but s390x (there an unsigned int).
    answer = ctypes.create_string_buffer(512)
    if _LIBC.fstatfs(descriptor, answer) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    kind = ctypes.c_uint if os.uname().machine == "s390x" else ctypes.c_long
    return int(kind.from_buffer(answer).value)


def open_beneath(root: str, path: str) -> int:
    """A file below a folder, open for writing; Refused where a link leads out, or a mount lies between."""
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        how = _How(
            flags=os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC,
            mode=0,
            resolve=_RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_XDEV,
        )
        found = _LIBC.syscall(
            ctypes.c_long(_OPENAT2),
            ctypes.c_int(folder),
            ctypes.c_char_p(path.encode()),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if found >= 0:
            return int(found)
        code = ctypes.get_errno()
        if code in (errno.ELOOP, errno.EXDEV):
            raise Refused(f"{root}/{path} leads out of {root}; nothing was written")
        raise OSError(code, os.strerror(code), f"{root}/{path}")
    finally:
        os.close(folder)
