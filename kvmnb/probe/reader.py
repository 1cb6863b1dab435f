"""Reading single-value kernel files into facts or gaps."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import parse_kernel_size
from kvmnb.facts.gap import Gap
from kvmnb.machine.files import Files

T = TypeVar("T")

_REQUIRED: Any = object()


class Reader:
    """Reads one machine's files; whatever cannot be read comes back as a Gap in the value's place.

    The return types name the value, since Fact takes a Gap for any field and leaves that field unset.
    ``absent`` is the value of a file that is not there; without it a missing file is a gap.
    """

    def __init__(self, files: Files) -> None:
        self.files = files

    def text(self, path: str, fact: str, absent: Any = _REQUIRED) -> str:
        """A file's text."""
        return self.parse(path, fact, str, absent)

    def word(self, path: str, fact: str, absent: Any = _REQUIRED) -> str:
        """A file's text where the kernel never writes an empty one: empty is a gap."""
        return self.parse(path, fact, _filled, absent)

    def integer(self, path: str, fact: str, absent: Any = _REQUIRED) -> int:
        """A file that holds one whole number; the kernel's -1 ("not known") reads as absent."""
        found = self.parse(path, fact, whole, absent)
        return cast(int, (None if absent is _REQUIRED else absent) if found == -1 else found)

    def cpus(self, path: str, fact: str, absent: Any = _REQUIRED) -> CpuSet:
        """A file that holds a CPU or node list."""
        return self.parse(path, fact, CpuSet.parse, absent)

    def size(self, path: str, fact: str, absent: Any = _REQUIRED) -> int:
        """A file that holds a size such as ``24576K``, in bytes."""
        return self.parse(path, fact, parse_kernel_size, absent)

    def words(self, path: str, fact: str, absent: Any = _REQUIRED) -> tuple[str, ...]:
        """A file that holds words divided by white space."""
        return self.parse(path, fact, lambda text: tuple(text.split()), absent)

    def parse(self, path: str, fact: str, parser: Callable[[str], T], absent: Any = _REQUIRED) -> T:
        """A file's text, given to ``parser``."""
        try:
            text = self.files.read(path)
            return parser(text)
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.ENOTDIR) and absent is not _REQUIRED:
                return cast(T, absent)
            return cast(T, Gap(fact, _why(path, problem)))
        except (ValueError, KvmnbError) as problem:
            return cast(T, Gap(fact, f"/{path}: {problem}"))

    def sharing(self, number: int, fact: str, lists: Sequence[str], masks: Sequence[str]) -> CpuSet:
        """The CPUs that share something with CPU ``number``, from the first sound file of several.

        The kernel tells one set under several names: an old and a new list, an old and a new mask. A set
        without the CPU itself is broken and the next file is asked. None where no file is there.
        """
        problem: Gap | None = None
        for path, parser in (*((one, CpuSet.parse) for one in lists), *((one, CpuSet.parse_mask) for one in masks)):
            found = self.parse(path, fact, parser, None)
            if isinstance(found, Gap):
                problem = problem or found
            elif found is not None and number not in found:
                problem = problem or Gap(fact, f"/{path}: the set {str(found)[:40]!r} lacks CPU {number} itself")
            elif found is not None:
                return found
        return cast(CpuSet, problem)

    def names(self, path: str) -> list[str]:
        """The names in a folder; none where it is not there or cannot be read."""
        try:
            return self.files.names(path)
        except OSError:
            return []

    def folder(self, path: str, fact: str) -> list[str]:
        """The names in a folder, none where it is not there; a gap where it cannot be read."""
        try:
            return self.files.names(path)
        except FileNotFoundError:
            return []
        except OSError as problem:
            return cast(list[str], Gap(fact, _why(path, problem)))


def seen(value: object) -> bool:
    """Whether a value read by Reader is one, and no gap."""
    return not isinstance(value, Gap)


def gap(fact: str, reason: str) -> Any:
    """A Gap, to stand where a fact's field takes a value."""
    return Gap(fact, reason)


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("the file is empty")
    return text


def whole(text: str) -> int:
    """One whole number, bounded so that a broken file costs nothing.

    >>> whole("-1")
    -1
    """
    if len(text) > 32:
        raise ValueError("it is not a whole number")
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a whole number") from None


def _why(path: str, problem: OSError) -> str:
    if problem.errno in (errno.EACCES, errno.EPERM):
        return f"/{path} needs root"
    return f"/{path}: {problem.strerror or problem}"
