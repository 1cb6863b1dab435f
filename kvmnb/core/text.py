"""Short texts to values, strictly."""

from __future__ import annotations

import re


def whole_number(text: str) -> int:
    """A whole number, at most 19 digits, in decimal or as libvirt's ``0x`` form; ValueError where it is none."""
    stripped = text.strip()
    if re.fullmatch(r"-?\d{1,19}", stripped):
        return int(stripped)
    if re.fullmatch(r"0x[0-9a-fA-F]{1,16}", stripped):
        return int(stripped, 16)
    raise ValueError(f"{stripped[:40]!r} is not a whole number")


def switch(text: str) -> bool:
    """libvirt's ``on``/``off`` or ``yes``/``no``; ValueError where it is neither."""
    words = {"on": True, "yes": True, "off": False, "no": False}
    if text.strip() not in words:
        raise ValueError(f"{text.strip()[:40]!r} is neither on nor off")
    return words[text.strip()]
