"""Originals that nobody's vocabulary holds, in the forms that they can hide in."""

from __future__ import annotations

import base64
import html
from itertools import count

STEM = "Zqxplant"
"""What all originals begin with."""


class Planter:
    """Gives a new original at each call, plain or encoded in turn, and looks for all of them in a text."""

    def __init__(self) -> None:
        self._numbers = count(1000)
        self.planted = 0

    def __call__(self) -> str:
        token = f"{STEM}{next(self._numbers)}w"
        self.planted += 1
        forms = (token, percent(token), base64.b64encode(token.encode()).decode(), entities(token), token.upper())
        return forms[self.planted % len(forms)]


def planted_in(text: str) -> list[str]:
    """The forms of an original that stand in the text."""
    lower = text.lower()
    # Six of the eight letters fill eight characters of base64.
    in_base64 = base64.b64encode(STEM[:6].encode()).decode()
    forms = (STEM, percent(STEM), entities(STEM), html.escape(entities(STEM)))
    return [form for form in forms if form.lower() in lower] + [in_base64] * (in_base64 in text)


def percent(token: str) -> str:
    """Every letter percent-encoded."""
    return "".join(f"%{ord(letter):02X}" for letter in token)


def entities(token: str) -> str:
    """Every letter as an HTML entity."""
    return "".join(f"&#x{ord(letter):x};" for letter in token)
