"""What the reader of a document dropped or altered of it when it gave it back."""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import parse_size
from kvmnb.core.xml.document import Document, Element
from kvmnb.core.xml.node import BLANK
from kvmnb.core.xml.shape import Shape

# What a reader gives anew by itself, and what names a size beside its number.
_GIVEN_ANEW = frozenset(("address", "alias"))
_UNIT = "unit"


def altered(asked: str, found: str, shape: Shape) -> list[str]:
    """Each place of ``asked`` that ``found`` lacks or has otherwise, in words; what was added does not count.

    Spellings of one number, size or set are the same. An element is found by its key, else by its place among
    its namesakes.
    """
    return list(_altered(Document.parse(asked).root, Document.parse(found).root, "", shape))


def _altered(asked: Element, found: Element, path: str, shape: Shape) -> Iterator[str]:
    units = (asked.get(_UNIT), found.get(_UNIT))
    for name, value in asked.attributes.items():
        if name.startswith("xmlns") or (name == _UNIT and units[1] is not None):
            continue
        now = found.get(name)
        if now is None:
            yield f"{path}/@{name} ({value[:60]!r}) is gone"
        elif not _same(value, now, units):
            yield f"{path}/@{name} is {now[:60]!r}, not {value[:60]!r}"
    text, now = asked.text.strip(BLANK), found.text.strip(BLANK)
    if not _same(text, now, units):
        yield f"{path} is {now[:60]!r}, not {text[:60]!r}"
    for name in dict.fromkeys(child.name for child in asked.children):
        if name not in _GIVEN_ANEW:
            yield from _children(asked, found, name, path, shape)


def _children(asked: Element, found: Element, name: str, path: str, shape: Shape) -> Iterator[str]:
    there = _keyed(found, name, shape)
    for key, child in _keyed(asked, name, shape).items():
        place = f"{path}/{name}{''.join(f'[{part}]' for part in key)}".lstrip("/")
        if key not in there:
            yield f"{place} is gone"
        else:
            yield from _altered(child, there[key], place, shape)


def _keyed(parent: Element, name: str, shape: Shape) -> dict[tuple[str, ...], Element]:
    """The children of that name by their keys; the only one, and those of a foreign namespace, by position."""
    own = [child for child in parent.children if child.name == name]
    if len(own) == 1 and shape.key(parent, name) is None:
        return {(): own[0]}
    if not own or shape.tag(own[0]) != name:
        return {(str(place),): child for place, child in enumerate(own)}
    return {each.keys[0]: each.part for each in shape.named(parent, name)}


def _same(asked: str, found: str, units: tuple[str | None, str | None]) -> bool:
    if asked == found or asked.lower() == found.lower():
        return True
    try:
        if int(asked, 0) == int(found, 0) and units[0] == units[1]:
            return True
    except ValueError:
        pass
    try:
        if units != (None, None) and parse_size(asked, units[0]) == parse_size(found, units[1]):
            return True
    except KvmnbError:
        pass
    try:
        return CpuSet.parse(asked) == CpuSet.parse(found)
    except KvmnbError:
        return False
