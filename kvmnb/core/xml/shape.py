"""What a kind of document knows of its elements: how keys find them, and where a new child goes.

The core knows no libvirt; a ``Shape`` is handed in. Names are looked up as ``parent/name`` first, then as
``name``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Protocol, TypeVar

from kvmnb.core.errors import XmlError
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


@dataclass(frozen=True, slots=True)
class Key:
    """The ways a ``[key]`` finds an element, the first one first.

    A way is one place per bracket: ``@index``, ``target/@dev``, ``path/text()``, or ``#`` for the position
    among the namesakes that agree in the way's other places. After the last way comes the position
    among the namesakes that none of them names.
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
        return tuple(place[1:] for place in own) if all(place.startswith("@") for place in own) else ()


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

    def keys_of(self, part: Part) -> tuple[tuple[str, ...], ...]:
        """Every key that finds an element, the preferred one first; () for one that needs none."""
        parent, name = part.parent, self.tag(part)
        if parent is None or name is None:
            return ()
        key, namesakes = self.key(parent, name), self.namesakes(parent, name)
        for ways in () if key is None else (key.stable, key.counted):
            found = (self._values(part, way, namesakes) for way in ways)
            known = tuple(dict.fromkeys(values for values in found if values is not None))
            if known:
                return known
        if len(namesakes) == 1:
            return ()
        unnamed = [other for other in namesakes if self._unnamed(other, key, namesakes)]
        return ((str(next(i for i, other in enumerate(unnamed) if other is part)),),)

    def find(self, parent: P, step: Step) -> P | None:
        """The child that a step means, or None; raises XmlError where it means several."""
        namesakes = self.namesakes(parent, step.name)
        key = self.key(parent, step.name)
        if not step.keys:
            if len(namesakes) > 1 or (namesakes and key is not None and self.keys_of(namesakes[0])):
                raise XmlError(f"say which <{step.name}> is meant: {self._written(namesakes)}")
            return namesakes[0] if namesakes else None
        for way in () if key is None else (*key.stable, *key.counted):
            found = [child for child in namesakes if self._is_found(child, way, step.keys, key, namesakes)]
            if len(found) > 1:
                raise XmlError(f"{len(found)} elements are {step}, so none of them is meant for certain")
            if found:
                return found[0]
        if len(step.keys) == 1 and step.keys[0].isdecimal():
            unnamed = [child for child in namesakes if self._unnamed(child, key, namesakes)]
            if str(int(step.keys[0])) == step.keys[0] and int(step.keys[0]) < len(unnamed):
                return unnamed[int(step.keys[0])]
        return None

    def missing(self, parent: Part, step: Step) -> XmlError:
        """The error that an element is not there, with what is there instead."""
        there = self._written(self.namesakes(parent, step.name))
        return XmlError(
            f"there is no {step} in <{parent.name}>; " + (f"it holds {there}" if there else "it holds none")
        )

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

    def _is_found(
        self,
        part: Part,
        way: tuple[str, ...],
        keys: tuple[str, ...],
        key: Key | None,
        namesakes: Sequence[Part],
    ) -> bool:
        values = self._values(part, way, namesakes)
        if values is None or key is None or len(values) != len(keys):
            return False
        if _POSITION in way and any(self._values(part, other, namesakes) is not None for other in key.stable):
            return False
        return values == keys or (key.caseless and [v.lower() for v in values] == [k.lower() for k in keys])

    def _written(self, parts: Sequence[Part]) -> str:
        return ", ".join(str(Step(self.tag(part) or "", next(iter(self.keys_of(part)), ()))) for part in parts[:20])

    def _unnamed(self, part: Part, key: Key | None, namesakes: Sequence[Part]) -> bool:
        return key is None or all(self._values(part, way, namesakes) is None for way in key.ways)

    def _values(self, part: Part, way: tuple[str, ...], namesakes: Sequence[Part]) -> tuple[str, ...] | None:
        """What stands in a way's places, or None where one of them is empty."""
        values = [place if place == _POSITION else _at(part, place) for place in way]
        if not all(values):
            return None
        if _POSITION in way:
            alike = [p for p in namesakes if [q if q == _POSITION else _at(p, q) for q in way] == values]
            position = next(i for i, other in enumerate(alike) if other is part)
            values = [str(position) if value == _POSITION else value for value in values]
        return tuple(value for value in values if value)


def _at(part: Part, place: str) -> str | None:
    *names, last = place.split("/")
    for name in names:
        found = next((child for child in part.children if child.name == name and child.namespace is None), None)
        if found is None:
            return None
        part = found
    return part.text.strip() if last == "text()" else part.get(last[1:])
