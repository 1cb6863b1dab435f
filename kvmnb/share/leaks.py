"""The search for what must not be left in a recording, after it is written."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from kvmnb.share.pseudonyms import Pseudonyms
from kvmnb.share.vocabulary import known

# Shorter words of a description stand in every text; shorter names cannot be told from the kernel's.
MIN_TEXT_TOKEN = 4
MIN_NAME = 3
MIN_NUMBER = 8
TOKEN = re.compile(r"[^\W_]+")
_BASE64 = (re.compile(r"[A-Za-z0-9+/]{6,}"), re.compile(r"[A-Za-z0-9+]{6,}"), re.compile(r"[A-Za-z0-9_-]{6,}"))
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}|&#?\w+;|\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-3][0-7]{2})")


class Search:
    """Finds originals in texts: plain, percent-, HTML-, backslash- and base64-encoded, in any case of letters.

    In a page that quotes ``own`` text (lower case) an original that stands there word for word is no leak.
    """

    def __init__(self, made: Pseudonyms, own: str = "") -> None:
        self._own = own
        self._whole: dict[str, list[tuple[str, str]]] = {}
        self._spared = made.spared()
        for original, field in made.originals():
            self._want(original, field, MIN_NAME)
        for text, field in made.texts():
            for match in TOKEN.finditer(text):
                self._want(match[0], field, MIN_TEXT_TOKEN)

    def field_of_leak(self, text: str) -> str | None:
        """The field whose original stands in a text; None where none does."""
        for form in _forms(text):
            found = self._search(form)
            if found is not None:
                return found
        return None

    def _want(self, original: str, field: str, least: int) -> None:
        lower = original.lower()
        parts = TOKEN.findall(lower)
        if len(lower) < least or not parts or (all(known(part) for part in parts) and not _is_identifier(lower)):
            return
        if self._spared.issuperset(parts):
            return
        if lower.isdecimal() and len(lower) < MIN_NUMBER:
            return
        self._whole.setdefault(max(parts, key=len), []).append((lower, field))

    def _search(self, text: str) -> str | None:
        lower = text.lower()
        there = set(TOKEN.findall(lower))
        for part in there & self._whole.keys():
            for original, field in self._whole[part]:
                if _stands_in(original, lower) and not _stands_in(original, self._own):
                    return field
        return None


def _stands_in(original: str, text: str) -> bool:
    """Whether an original stands in a text as a word of its own; both in lower case."""
    return original in text and bool(re.search(rf"(?<![^\W_]){re.escape(original)}(?![^\W_])", text))


def _is_identifier(text: str) -> bool:
    """A UUID, MAC or IP address is sought even where its parts are mere numbers."""
    return bool(re.fullmatch(r"[0-9a-f]{0,4}(?:[:.-][0-9a-f]{0,12}){3,7}|[0-9a-f]{12,32}", text))


def _forms(text: str) -> Iterator[str]:
    """The text, and what it decodes to."""
    yield text
    decoded = text
    # Twice, for what was encoded twice.
    for _ in range(2):
        if not _ESCAPED.search(decoded):
            break
        decoded = _unescape(html.unescape(unquote(decoded)))
        yield decoded
    yield "\n".join(_decoded({run for pattern in _BASE64 for run in pattern.findall(text)}))


def _unescape(text: str) -> str:
    return re.sub(
        r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([0-3][0-7]{2}))",
        lambda match: chr(int(match[1] or match[2], 16) if match[1] or match[2] else int(match[3], 8)),
        text,
    )


def _decoded(runs: Iterable[str]) -> Iterator[str]:
    """What each run means as base64, wherever in it the encoded part begins."""
    for run in runs:
        plain = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            part = plain[start:]
            part += "A" * (-len(part) % 4)
            try:
                yield base64.b64decode(part).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                continue
