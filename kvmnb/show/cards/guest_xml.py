"""Guests' persistent XML, folded away below their cards."""

from __future__ import annotations

from collections.abc import Iterable

from kvmnb.core.xml.mask import mask
from kvmnb.show import template

MOST_CHARACTERS = 300_000
"""Of all texts together; what no longer fits is named and left out."""


def fragment(texts: Iterable[tuple[str, str]]) -> str:
    """Each guest's name and XML, secrets masked, without the style."""
    shown, room = [], MOST_CHARACTERS
    for name, text in texts:
        room -= len(text)
        shown.append((name, mask(text) if room >= 0 else ""))
    return template.fragment("guest_xml", texts=shown)
