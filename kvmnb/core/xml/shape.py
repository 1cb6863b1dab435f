"""What a kind of document knows of its elements: how keys find them, and where a new child goes.

The core knows no libvirt; a ``Shape`` is handed in. Names are looked up as ``parent/name`` first, then as
``name``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, product
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from kvmnb.core.errors import KvmnbError, XmlError
from kvmnb.core.units import parse_size
from kvmnb.core.xml.path import Path, Step

_POSITION = "#"


class Part(Protocol):
    """An element as far as finding it needs: read from a text, or being edited."""

    @property
    def name(self) -> str: ...
    @property
    def namespace(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    @property
    def children(self) -> Sequence[Part]: ...
    @property
    def parent(self) -> Part | None: ...
    def get(self, name: str) -> str | None: ...
    def values(self) -> Mapping[str, str]: ...


P = TypeVar("P", bound=Part)
Keys = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Named(Generic[P]):
    """An element, its keys, and whether only its position among its namesakes names it."""

    part: P
    keys: Keys
    by_position: bool


@dataclass(frozen=True, slots=True)
class Key:
    """The ways a ``[key]`` finds an element, the first one first.

    A way is one place per bracket: ``@index``, ``target/@dev``, ``path/text()``, ``@size:KiB`` for
    a size with its ``unit`` in KiB, or ``#`` for the numbers, in order, that no namesake has for itself
    among those that agree in the way's other places. After the last way comes the position among the
    namesakes that none of them names.
    """

    ways: tuple[tuple[str, ...], ...]
    caseless: bool = False

    @property
    def stable(self) -> tuple[tuple[str, ...], ...]:
        """The ways that do not depend on an element's position."""
        return tuple(way for way in self.ways if _POSITION not in way)

    @property
    def counted(self) -> tuple[tuple[str, ...], ...]:
        """The ways that count, for elements that no stable way names."""
        return tuple(way for way in self.ways if _POSITION in way)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that a new element needs for its key, or none if its key is not its own."""
        own = self.ways[0]
        return tuple(place[1:].split(":")[0] for place in own) if all(place.startswith("@") for place in own) else ()


_EMPTY: Mapping[str, frozenset[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shape:
    """The keys, orders and limits of one kind of document.

    ``order`` names the children of a parent as they follow each other. ``standing`` elements must be
    there: they are neither created nor removed. ``given`` elements are created from their whole
    XML only, never on the way to something inside. ``added`` are the attributes (``@name``, ``@name=value``)
    and children that the reader of the document adds to an element by itself. ``ruling`` attributes
    (``parent/element/@name``) decide what else an element may hold: that reader drops what does not fit.
    """

    root: str
    keys: Mapping[str, Key]
    order: Mapping[str, tuple[str, ...]]
    standing: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    added: Mapping[str, frozenset[str]] = field(default_factory=lambda: _EMPTY)
    ruling: frozenset[str] = frozenset()
    namespaces: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def tag(self, part: Part) -> str | None:
        """The name of an element as a path writes it, or None where its namespace is foreign."""
        if part.namespace is None:
            return part.name
        for prefix, uri in self.namespaces.items():
            if uri == part.namespace:
                return f"{prefix}:{part.name.rpartition(':')[2]}"
        return None

    def key(self, parent: Part, name: str) -> Key | None:
        """How a child of ``parent`` is found by key, or None where it is by its position alone."""
        return self.keys.get(f"{self.tag(parent)}/{name}") or self.keys.get(name)

    def order_of(self, parent: Part) -> tuple[str, ...]:
        """The names of a parent's children in their order; empty where it takes none."""
        tag = self.tag(parent)
        above = self.tag(parent.parent) if parent.parent is not None else None
        return self.order.get(f"{above}/{tag}") or self.order.get(tag or "", ())

    def is_standing(self, parent: Part, name: str) -> bool:
        """Whether the element must be there already."""
        return f"{self.tag(parent)}/{name}" in self.standing

    def is_added(self, part: Part, mark: str) -> bool:
        """Whether a child's name, ``@name`` or ``@name=value`` is something the document's reader adds."""
        tag = self.tag(part) or ""
        above = (self.tag(part.parent) or "") if part.parent is not None else ""
        return any(mark in self.added.get(name, ()) for name in (f"{above}/{tag}", f"{above}/*", tag))

    def namesakes(self, parent: P, name: str) -> list[P]:
        """The children of that name, in the order of the text."""
        return [child for child in parent.children if self.tag(child) == name]  # type: ignore[misc]

    def keys_of(self, part: Part) -> Keys:
        """Every key that finds an element, the preferred one first; () for one that needs none."""
        parent, name = part.parent, self.tag(part)
        if parent is None or name is None:
            return ()
        named = self.named(parent, name)
        found = next(each for each in named if each.part is part)
        return () if found.by_position and len(named) == 1 else found.keys

    def find(self, parent: P, step: Step) -> P | None:
        """The child that a step means, or None; raises XmlError where it means several."""
        named = self.named(parent, step.name)
        if not step.keys:
            if len(named) > 1 or (named and not named[0].by_position):
                raise XmlError(f"say which <{step.name}> is meant: {_written(step.name, named)}")
            return named[0].part if named else None
        key = self.key(parent, step.name)
        asked = _folded(step.keys, key)
        # An element's best key comes first, then any other, and a position last.
        for found in (
            [each.part for each in named if not each.by_position and _folded(each.keys[0], key) == asked],
            [each.part for each in named if not each.by_position and asked in [_folded(k, key) for k in each.keys]],
            [each.part for each in named if each.by_position and each.keys[0] == step.keys],
        ):
            if len(found) > 1:
                raise XmlError(f"{len(found)} elements are {step}, so none of them is meant for certain")
            if found:
                return found[0]
        return None

    def named(self, parent: P, name: str) -> list[Named[P]]:
        """The children of that name with their keys; where nothing names one, its position does."""
        namesakes, key = self.namesakes(parent, name), self.key(parent, name)
        keys: list[Keys] = [() for _ in namesakes]
        if key is not None:
            keys = [_all_values(part, key.stable) for part in namesakes]
            for way in key.counted:
                _count(namesakes, keys, way)
        position = count()
        return [
            Named(part, known, False) if known else Named(part, ((str(next(position)),),), True)
            for part, known in zip(namesakes, keys, strict=True)
        ]

    def is_named(self, part: Part, step: Step) -> bool:
        """Whether an element that is not in its place yet has the keys of a step, where they are its own."""
        key = self.key(part.parent, step.name) if part.parent is not None else None
        if key is None or not key.stable or not step.keys:
            return True
        return step.keys in _all_values(part, key.stable)

    def missing(self, parent: Part, step: Step) -> XmlError:
        """The error that an element is not there, with what is there instead."""
        there = _written(step.name, self.named(parent, step.name)) or "none"
        return XmlError(f"there is no {step} in <{parent.name}>; it holds {there}")

    def paths_of(self, part: Part) -> tuple[Path, ...]:
        """Every path that finds an element now, the preferred one first; raises XmlError for the root."""
        ways: list[list[Step]] = []
        while part.parent is not None:
            name = self.tag(part)
            if name is None:
                raise XmlError(f"<{part.name}> is in a foreign namespace and has no path")
            ways.append([Step(name, keys) for keys in self.keys_of(part)] or [Step(name)])
            part = part.parent
        return tuple(Path(steps) for steps in product(*reversed(ways)))


def _written(name: str, named: Sequence[Named[Any]]) -> str:
    return ", ".join(str(Step(name, each.keys[0])) for each in named[:20]) + (", …" if len(named) > 20 else "")


def _folded(keys: tuple[str, ...], key: Key | None) -> tuple[str, ...]:
    return tuple(part.lower() for part in keys) if key is not None and key.caseless else keys


def _all_values(part: Part, ways: Iterable[tuple[str, ...]]) -> Keys:
    """The keys that the ways give, without those of which a place is empty."""
    found = (tuple(_at(part, place) or "" for place in way) for way in ways)
    return tuple(dict.fromkeys(values for values in found if all(values)))


def _count(namesakes: Sequence[Part], keys: list[Keys], way: tuple[str, ...]) -> None:
    """Give the namesakes that have no key yet the numbers that are free, in their order."""
    at = way.index(_POSITION)
    places = way[:at] + way[at + 1 :]
    taken = {key for known in keys for key in known if len(key) == len(way)}
    numbers: dict[tuple[str, ...], Iterator[int]] = {}
    for i, part in enumerate(namesakes):
        values = tuple(_at(part, place) or "" for place in places)
        if keys[i] or not all(values):
            continue
        for number in numbers.setdefault(values, count()):
            key = (*values[:at], str(number), *values[at:])
            if key not in taken:
                keys[i] = (key,)
                break


def _at(part: Part, place: str) -> str | None:
    *names, last = place.split("/")
    for name in names:
        found = next((child for child in part.children if child.name == name and child.namespace is None), None)
        if found is None:
            return None
        part = found
    if last == "text()":
        return part.text.strip()
    name, scaled, unit = last[1:].partition(":")
    value = part.get(name)
    if not scaled or value is None:
        return value
    try:
        return str(parse_size(value, part.get("unit"), unit) // parse_size("1", unit))
    except KvmnbError:
        return value
