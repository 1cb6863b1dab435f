"""A place in a document, as it is written in a tunable's name: ``devices/disk[vda]/driver/@cache``.

The root element is not named. A step may carry keys in brackets, percent-encoded except for letters,
digits, ``.``, ``_`` and ``-``. Parsing and printing are inverse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from kvmnb.core.errors import XmlError

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?"
_STEP = re.compile(rf"({_NAME})((?:\[[^\[\]]*\])*)\Z")
_ATTRIBUTE = re.compile(rf"{_NAME}\Z")
_KEY = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way, with the keys that tell it from its namesakes."""

    name: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name + "".join(f"[{_encode(key)}]" for key in self.keys)


@dataclass(frozen=True, slots=True)
class Path:
    """The way to an attribute (``attribute``), to a text (``text``) or to a whole element."""

    steps: tuple[Step, ...]
    attribute: str | None = None
    text: bool = False

    def __post_init__(self) -> None:
        if self.text and self.attribute is not None:
            raise XmlError(f"a path ends in an attribute or in text(), not in both: {self}")
        if not self.steps and self.attribute is None:
            raise XmlError("a path names at least one element or an attribute of the root")
        for step in self.steps:
            if not _STEP.match(step.name) or "" in step.keys:
                raise XmlError(f"{step.name!r} with keys {step.keys!r} is no step of a path")
        if self.attribute is not None:
            if not _ATTRIBUTE.match(self.attribute):
                raise XmlError(f"{self.attribute!r} is no attribute's name")
            if self.attribute.split(":")[0] == "xmlns":
                raise XmlError("a namespace declaration is not a setting and has no path")

    @classmethod
    def parse(cls, text: str) -> Path:
        """Read a path; raises XmlError that says what is wrong with it.

        >>> Path.parse("cputune/vcpupin[3]/@cpuset").attribute
        'cpuset'
        """
        return _parse(text)

    def __str__(self) -> str:
        end = () if self.attribute is None else (f"@{self.attribute}",)
        return "/".join((*map(str, self.steps), *end, *(("text()",) if self.text else ())))

    @property
    def element(self) -> Path:
        """The path of the element that an attribute or a text belongs to."""
        return Path(self.steps)


@lru_cache(maxsize=4096)  # Rules name the same places in guest after guest.
def _parse(text: str) -> Path:
    if not text:
        raise XmlError("the path is empty")
    *parts, last = text.split("/")
    steps = [_parse_step(part, text) for part in parts]
    if last.startswith("@"):
        path = Path(tuple(steps), attribute=last[1:])
    elif last == "text()":
        path = Path(tuple(steps), text=True)
    else:
        path = Path((*steps, _parse_step(last, text)))
    if str(path) != text:
        raise XmlError(f"the path {text!r} is written {str(path)!r}")
    return path


def _parse_step(part: str, path: str) -> Step:
    match = _STEP.match(part)
    if match is None:
        raise XmlError(f"{part!r} in the path {path!r} is not an element's name with its keys in brackets")
    try:
        keys = tuple(unquote(key, errors="strict") for key in _KEY.findall(match[2]))
    except UnicodeDecodeError as problem:
        raise XmlError(f"a key in the path {path!r} is not percent-encoded UTF-8") from problem
    if "" in keys:
        raise XmlError(f"a key in the path {path!r} is empty")
    return Step(match[1], keys)


def _encode(key: str) -> str:
    try:
        return quote(key, safe="").replace("~", "%7E")
    except UnicodeEncodeError as problem:
        raise XmlError(f"the key {key!r} holds half a surrogate pair") from problem
