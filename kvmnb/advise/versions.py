"""Versions of libvirt, QEMU and machine types, compared by their numbers."""

from __future__ import annotations

import re


def at_least(found: str | None, needed: str) -> bool:
    """Whether a version is this one or a later one; an unknown version is not.

    >>> at_least("9.0.0", "6.3"), at_least("6.2.9", "6.3"), at_least("10.0.0", "9.10"), at_least(None, "1")
    (True, False, True, False)
    """
    return found is not None and _numbers(found) >= _numbers(needed)


def _numbers(text: str) -> tuple[int, int, int]:
    found = [int(part) for part in re.findall(r"\d+", text)[:3]]
    first, second, third = (*found, 0, 0, 0)[:3]
    return first, second, third
