"""Sizes as bytes, read from libvirt's and the kernel's spellings."""

from __future__ import annotations

import re

from kvmnb.core.errors import KvmnbError

KIB = 1024
MIB = 1024**2
GIB = 1024**3

# libvirt's virScaleInteger: a bare letter and "xiB" are powers of 1024, "xB" powers of 1000.
_SCALE: dict[str, int] = {"": 1, "b": 1, "byte": 1, "bytes": 1}
for _power, _letter in enumerate("kmgtpe", start=1):
    _SCALE[_letter] = _SCALE[f"{_letter}ib"] = 1024**_power
    _SCALE[f"{_letter}b"] = 1000**_power


def parse_size(number: str, unit: str | None = None, default_unit: str = "KiB") -> int:
    """A size in bytes, from a number and a libvirt unit (``KiB`` where none is given, as in domain XML).

    >>> parse_size("4", "GiB")
    4294967296
    """
    scale = _SCALE.get((default_unit if unit is None else unit).strip().lower())
    if scale is None or not re.fullmatch(r"\s*\d{1,19}\s*", number):
        raise KvmnbError(f"{number.strip()[:40]!r} {unit or ''} is not a size that libvirt knows".replace("  ", " "))
    return int(number) * scale


def parse_kernel_size(text: str) -> int:
    """A size in bytes as sysfs and ``/proc/meminfo`` write it: ``32K``, ``24M``, ``263851488 kB``.

    >>> parse_kernel_size("1280K")
    1310720
    """
    match = re.fullmatch(r"\s*(\d{1,19})\s*([KMG]?)(?:i?[bB])?\s*", text, re.IGNORECASE)
    if match is None:
        raise KvmnbError(f"{text.strip()[:40]!r} is not a size as the kernel writes it")
    return int(match[1]) * {"": 1, "K": KIB, "M": MIB, "G": GIB}[match[2].upper()]


def format_bytes(size: int) -> str:
    """A size for people, in the largest unit that keeps three digits true.

    >>> format_bytes(4 * GIB), format_bytes(1310720), format_bytes(512)
    ('4 GiB', '1.25 MiB', '512 bytes')
    """
    for unit, scale in (("TiB", 1024**4), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if abs(size) >= scale:
            return f"{size / scale:.4g} {unit}"
    return f"{size} bytes"
