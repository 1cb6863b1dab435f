"""Originals that nobody's vocabulary holds, in the forms that they can hide in."""

from __future__ import annotations

import base64
import html
from itertools import count
from urllib.parse import quote


class Planter:
    """Gives a new original at each call, plain or encoded in turn, and looks for all of them in a text."""

    def __init__(self) -> None:
        self._numbers = count(1000)
        self.planted: list[str] = []

    def __call__(self) -> str:
        token = f"Zqxplant{next(self._numbers)}w"
        self.planted.append(token)
        forms = (token, percent(token), base64.b64encode(token.encode()).decode(), entities(token), token.upper())
        return forms[len(self.planted) % len(forms)]

    def found_in(self, text: str) -> list[str]:
        """The originals that stand in the text in any form."""
        lower = text.lower()
        return [
            token
            for token in self.planted
            if token.lower() in lower
            or percent(token).lower() in lower
            or quote(token).lower() in lower
            or base64.b64encode(token.encode()).decode().rstrip("=") in text
            or entities(token).lower() in lower
            or html.escape(entities(token)).lower() in lower
        ]


def percent(token: str) -> str:
    """Every letter percent-encoded."""
    return "".join(f"%{ord(letter):02X}" for letter in token)


def entities(token: str) -> str:
    """Every letter as an HTML entity."""
    return "".join(f"&#x{ord(letter):x};" for letter in token)
