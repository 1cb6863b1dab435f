"""An XML element, read into a fact whose fields say where they stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import parse_size
from kvmnb.facts.at import REQUIRED, Place, place_of
from kvmnb.facts.gap import Fact, Gap

if TYPE_CHECKING:
    from lxml.etree import _Element

F = TypeVar("F", bound=Fact)

# libvirt refuses chains of more than 200 images.
_DEEPEST = 1000


def read_element(fact_type: type[F], element: _Element | None, fact: str, /, **given: Any) -> F:
    """A fact of ``fact_type`` from an element (None: every field is absent); ``given`` are its undeclared fields."""
    found: dict[str, _Element | None] = {"": element}
    values: dict[str, Any] = {}
    for step in _steps(cast(Any, fact_type)):
        if step.way not in found:
            found[step.way] = None if element is None else element.find(step.way)
        values[step.name] = _value(found[step.way], step, fact)
    return fact_type(**values, **given)


@dataclasses.dataclass(frozen=True, slots=True)
class _Step:
    """One declared field: the element to find, and what of it is read."""

    name: str
    way: str
    attribute: str | None
    place: Place


@cache
def _steps(kind: type[Fact]) -> tuple[_Step, ...]:
    return tuple(_declared(kind))


def _declared(kind: type[Fact]) -> Iterator[_Step]:
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        place = place_of(field)
        if place is None:
            continue
        if place.path.endswith("?"):
            yield _Step(field.name, place.path[:-1], None, place)
        elif place.path.endswith("/**"):
            yield _Step(field.name, "", None, place)
        else:
            way, at, attribute = place.path.rpartition("@")
            yield _Step(field.name, way.rstrip("/") if at else place.path, attribute if at else None, place)


def _value(element: _Element | None, step: _Step, fact: str) -> Any:
    place = step.place
    if place.path.endswith("?"):
        return element is not None
    if place.path.endswith("/**"):
        return _depth(element, place.path[:-3])
    if element is None:
        text = None
    elif step.attribute is None:
        text = (element.text or "").strip()
    else:
        text = element.get(step.attribute)
    if text is None:
        return Gap(f"{fact}.{step.name}", f"the XML has no {place.path}") if place.absent is REQUIRED else place.absent
    try:
        if place.unit is not None and element is not None:
            return parse_size(text, element.get("unit"), place.unit)
        return place.parser(text)
    except (ValueError, KvmnbError) as problem:
        return Gap(f"{fact}.{step.name}", f"{place.path}: {problem}")


def _depth(element: _Element | None, name: str) -> int:
    """How often an element of this name lies in one of its own kind; an empty one ends the chain."""
    depth = 0
    inner = element.find(name) if element is not None else None
    while inner is not None and len(inner) and depth < _DEEPEST:
        depth += 1
        inner = inner.find(name)
    return depth
