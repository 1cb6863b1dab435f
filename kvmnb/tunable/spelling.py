"""Percent-encoding of names inside a tunable's text, and names quoted for a reader's shell."""

from __future__ import annotations

import re
import shlex
from urllib.parse import quote, unquote_to_bytes

from kvmnb.core.errors import Refused

_ENCODED = re.compile(r"(?:[A-Za-z0-9._-]|%[0-9A-F]{2})+")


def percent_encode(text: str) -> str:
    """All but letters, digits, ``.``, ``_`` and ``-`` as ``%XX`` of UTF-8.

    >>> percent_encode("web server")
    'web%20server'
    """
    return quote(text, safe="").replace("~", "%7E")


def percent_decode(text: str) -> str:
    """The inverse, strictly: one spelling for each name."""
    if not _ENCODED.fullmatch(text):
        raise Refused(f"{text[:80]!r} is not a percent-encoded name")
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Refused(f"{text[:80]!r} is not UTF-8") from None
    if percent_encode(decoded) != text:
        raise Refused(f"{text[:80]!r} is not spelled as kvmnb spells it ({percent_encode(decoded)!r})")
    return decoded


def shell_word(text: str) -> str:
    """The text as one word of a command that a person may paste; kvmnb itself never runs it."""
    return shlex.quote(text)
