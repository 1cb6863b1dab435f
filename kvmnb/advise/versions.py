"""Versions of libvirt, QEMU and kernels, compared by their numbers."""

from __future__ import annotations

import re


def at_least(found: str | None, needed: str) -> bool:
    """Whether a version is the needed one or newer; a version that is not known is not.

    >>> at_least("9.0.0", "6.3"), at_least("7.2.22", "10.0"), at_least("6.1.0-9-amd64", "6.1"), at_least(None, "1")
    (True, False, True, False)
    """
    if found is None:
        return False
    have, need = _numbers(found), _numbers(needed)
    size = max(len(have), len(need))
    return have + (0,) * (size - len(have)) >= need + (0,) * (size - len(need))


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers between dots."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
