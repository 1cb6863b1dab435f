"""Reading the small files of ``/sys/class/net``, where the kernel refuses what a NIC has not."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.probe.reader import Reader, gap

T = TypeVar("T")

_NONE = (errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV)


def told(read: Reader, path: str, fact: str, parser: Callable[[str], T]) -> T | None:
    """A file's value; None where it is not there or the kernel says that the NIC has no such value now.

    A NIC that is switched off answers EINVAL for its carrier, a virtual one for its speed.
    """
    try:
        text = read.files.read(path)
    except OSError as problem:
        return None if problem.errno in _NONE else read.parse(path, fact, parser)
    except ValueError:
        return read.parse(path, fact, parser)
    try:
        return parser(text)
    except (ValueError, KvmnbError) as problem:
        return gap(fact, f"/{path}: {problem}")  # type: ignore[no-any-return]


def folder(read: Reader, path: str, fact: str) -> Any:
    """The names in a folder that must be there; else a Gap."""
    try:
        return read.files.names(path)
    except OSError as problem:
        if problem.errno in (errno.EACCES, errno.EPERM):
            return gap(fact, f"/{path} needs root")
        return gap(fact, f"/{path}: {problem.strerror or problem}")


def link_name(read: Reader, path: str, fact: str) -> str | None:
    """The last part of a link's target; None where there is no link."""
    try:
        return read.files.link(path).rstrip("/").rsplit("/", 1)[-1] or None
    except OSError as problem:
        if problem.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        return gap(fact, f"/{path}: {problem.strerror or problem}")  # type: ignore[no-any-return]
    except ValueError as problem:
        return gap(fact, f"/{path}: {problem}")  # type: ignore[no-any-return]


def flag(text: str) -> bool:
    """A file that holds 0 or 1.

    >>> flag("1")
    True
    """
    if text not in ("0", "1"):
        raise ValueError(f"{text[:40]!r} is neither 0 nor 1")
    return text == "1"


def number(text: str) -> int:
    """A file that holds one whole number, hexadecimal where it begins with 0x.

    >>> number("0x1003")
    4099
    """
    try:
        return int(text[:20], 16 if text.startswith("0x") else 10)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a number") from None


@lru_cache(4096)
def mask(text: str) -> CpuSet:
    """A CPU mask; the queues of a host share few different ones.

    >>> str(mask("00000000,0000000f"))
    '0-3'
    """
    return CpuSet.parse_mask(text)
