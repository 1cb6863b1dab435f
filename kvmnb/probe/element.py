"""An XML element, read into a fact whose fields say where they stand."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.at import REQUIRED, Place, place_of
from kvmnb.facts.gap import Fact, Gap

if TYPE_CHECKING:
    from lxml.etree import _Element

F = TypeVar("F", bound=Fact)


def read_element(fact_type: type[F], element: _Element | None, fact: str, /, **given: Any) -> F:
    """A fact of ``fact_type`` from an element (None: every field is absent); ``given`` are its undeclared fields."""
    values = {name: _value(element, place, f"{fact}.{name}") for name, place in _places(fact_type)}
    return fact_type(**values, **given)


@lru_cache(maxsize=64)
def _places(kind: type[Fact]) -> tuple[tuple[str, Place], ...]:
    found = ((field.name, place_of(field)) for field in dataclasses.fields(kind))  # type: ignore[arg-type]
    return tuple((name, place) for name, place in found if place is not None)


def _value(element: _Element | None, place: Place, fact: str) -> Any:
    path = place.path
    if path.endswith("?"):
        return element is not None and element.find(path[:-1]) is not None
    if path.endswith("/**"):
        return _depth(element, path[:-3])
    text = None if element is None else _text(element, path)
    if text is None:
        return Gap(fact, f"the XML has no {path}") if place.absent is REQUIRED else place.absent
    try:
        return place.parser(text)
    except (ValueError, KvmnbError) as problem:
        return Gap(fact, f"{path}: {problem}")


def _text(element: _Element, path: str) -> str | None:
    """The text at a path that ends in an element or an attribute."""
    way, _, name = path.rpartition("@")
    if not name or "@" not in path:
        found = element.find(path)
        return None if found is None else (found.text or "").strip()
    inner = element if not way else element.find(way.rstrip("/"))
    return None if inner is None else inner.get(name)


def _depth(element: _Element | None, name: str) -> int:
    """How often an element of this name lies in one of its own kind; an empty one ends the chain."""
    depth = 0
    inner = element.find(name) if element is not None else None
    while inner is not None and len(inner) and depth < 1000:
        depth += 1
        inner = inner.find(name)
    return depth
