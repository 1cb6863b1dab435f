"""Changes of a document, by path, in place: what a change does not name stays as it was, to the byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kvmnb.core.errors import XmlError
from kvmnb.core.xml.layout import insert, is_blank
from kvmnb.core.xml.meaning import meaning
from kvmnb.core.xml.node import BLANK, Attribute, Node, escape_attribute, escape_text
from kvmnb.core.xml.path import Path, Step
from kvmnb.core.xml.reversal import Reversal, Touched
from kvmnb.core.xml.shape import Shape
from kvmnb.core.xml.tree import Tree

Changes = Mapping[Path, str | None] | Iterable[tuple[Path, str | None]]


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited text and what takes the edit back."""

    text: str
    reversal: Reversal


def edit(text: str, changes: Changes, shape: Shape) -> Edited:
    """Make all changes of a document; None takes a node away, and a text of None its element.

    An element's value is its whole XML text; what of it is there already is left as it is written. A change
    that already holds changes nothing. Raises XmlError, and then nothing was changed.
    """
    pairs = list(changes.items() if isinstance(changes, Mapping) else changes)
    wanted: dict[Path, str | None] = {}
    for path, value in pairs:
        if wanted.setdefault(path, value) != value:
            raise XmlError(f"two values are wanted for {path}: {wanted[path]!r} and {value!r}")
    editor = Editor(Tree(text, shape))
    for path, value in wanted.items():
        try:
            editor.change(path, value)
        except XmlError as problem:
            raise XmlError(f"changing {path}: {problem}") from problem
    return Edited(editor.tree.finish(), Reversal(tuple(editor.touched)))


class Editor:
    """One edit under way: the tree and what was touched so far."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.shape = tree.shape
        self.touched: list[Touched] = []

    def change(self, path: Path, value: str | None) -> None:
        if path.attribute is None and value is None:
            self._take_away(path)
        elif path.attribute is None and not path.text:
            self._set_element(path, value or "")
        else:
            if value is None and self._found(path) is None:
                return
            node = self._ensure(path.steps)
            if path.text:
                self._set_text(node, value or "")
            elif value is None:
                self._remove_attribute(node, path.attribute or "")
            else:
                self._set_attribute(node, path.attribute or "", value)

    def _found(self, path: Path) -> Node | None:
        """The element of a path, or None; a missing device is an error."""
        node = self.tree.root
        for step in path.steps:
            found = self.shape.find(node, step)
            if found is None:
                if self.shape.is_standing(node, step.name):
                    raise self.shape.missing(node, step)
                return None
            node = found
        return node

    def _ensure(self, steps: tuple[Step, ...]) -> Node:
        made: list[tuple[Node, str, str, str | None]] = []
        node = self.tree.ensure(steps, made)
        for new, lead, tail, close in made:
            alone = Node(new.name, new.namespace)
            alone.attributes.extend(new.attributes)
            self._created(new, str(alone), lead, tail, close)
        return node

    def _created(self, node: Node, raw: str, lead: str, tail: str, close: str | None) -> None:
        paths = self.tree.paths_of(node)
        self.touched.append(Touched("element_created", paths, raw=raw, lead=lead, tail=tail, close=close))

    def _set_attribute(self, node: Node, name: str, value: str) -> None:
        attribute = node.attribute(name)
        if attribute is not None and attribute.value == value:
            return
        self._keep_ruled(node, name)
        paths = self.tree.paths_of(node, name)
        if attribute is None:
            raw = escape_attribute(value, self.tree.quote)
            node.attributes.append(Attribute(" ", name, "=", self.tree.quote, raw))
            self.touched.append(Touched("attribute_added", paths))
        else:
            self.touched.append(Touched("attribute_set", paths, raw=attribute.raw, quote=attribute.quote))
            attribute.raw = escape_attribute(value, attribute.quote)
        self._check_found(node, paths)

    def _remove_attribute(self, node: Node, name: str) -> None:
        attribute = node.attribute(name)
        if attribute is None:
            return
        self._keep_ruled(node, name)
        index = node.attributes.index(attribute)
        after = node.attributes[index - 1].name if index else ""
        paths = self.tree.paths_of(node, name)
        self.touched.append(
            Touched(
                "attribute_removed",
                paths,
                raw=attribute.raw,
                quote=attribute.quote,
                equals=attribute.equals,
                lead=attribute.lead,
                after=after,
            )
        )
        node.attributes.remove(attribute)
        self._check_found(node, paths)

    def _keep_ruled(self, node: Node, name: str) -> None:
        """Remember an element as it is before an attribute changes that decides what else it may hold."""
        above = node.parent
        if above is None or f"{self.shape.tag(above)}/{self.shape.tag(node)}/@{name}" not in self.shape.ruling:
            return
        paths = self.tree.paths_of(node)
        if all(
            touched.paths != paths for touched in self.touched if touched.did in ("element_ruled", "element_created")
        ):
            self.touched.append(Touched("element_ruled", paths, raw=str(node)))

    def _check_found(self, node: Node, paths: tuple[str, ...]) -> None:
        """A key stays: an element that is called otherwise could not be found again to undo the rest."""
        if paths and self.tree.find(Path.parse(paths[0]).steps) is not node:
            raise XmlError("an element is found by this, so it stays")

    def _set_text(self, node: Node, value: str) -> None:
        if node.children:
            raise XmlError(f"<{node.name}> holds elements, so its text is not set")
        if node.content is not None and node.text.strip(BLANK) == value.strip(BLANK):
            return
        if node.content is None and not value:
            return
        paths = self.tree.paths_of(node)
        before, close = node.content or "", node.open()
        start, end = node.core
        node.gaps[0] = before[:start] + escape_text(value) + before[end:]
        self.touched.append(Touched("text_set", paths, raw=before, put=node.gaps[0], close=close))
        self._check_found(node, paths)

    def _take_away(self, path: Path) -> None:
        node = self._found(path)
        if node is None:
            return
        parent = node.parent
        if parent is None or self.shape.is_standing(parent, path.steps[-1].name):
            raise XmlError(f"<{node.name}> is not removed from here")
        self._remove(parent, node)

    def _remove(self, parent: Node, node: Node) -> None:
        paths, raw = self.tree.paths_of(node), str(node)
        at = next(i for i, child in enumerate(parent.children) if child is node)
        after = self.tree.step_of(parent.children[at - 1]) if at else ""
        index, gap, lead = parent.remove(node)
        counted = self.tree.find(Path.parse(paths[0]).steps) is not None
        self.touched.append(
            Touched(
                "element_removed",
                paths,
                raw=raw,
                lead=lead,
                gap=gap,
                after=after,
                index=index,
                counted=counted,
            )
        )

    def _set_element(self, path: Path, value: str) -> None:
        *way, step = path.steps
        node = self._found(path)
        parent = node.parent if node is not None else self._ensure(tuple(way))
        if parent is None or self.shape.is_standing(parent, step.name):
            raise XmlError(f"<{step.name}> is not set as a whole; name what is inside it")
        wanted = Node.parse(value.strip(BLANK), parent)
        self._check_named(wanted, step)
        if node is not None:
            self.make_alike(node, wanted)
            return
        lead, tail, close = self.tree.put(parent, wanted, step)
        if self.shape.find(parent, step) is not wanted:
            raise XmlError(f"the element does not become {step} where it goes")
        self._created(wanted, str(wanted), lead, tail, close)

    def _check_named(self, wanted: Node, step: Step) -> None:
        if self.shape.tag(wanted) != step.name:
            raise XmlError(f"the value is a <{wanted.name}>, not a <{step.name}>")
        if not self.shape.is_named(wanted, step):
            raise XmlError(f"the value is a <{wanted.name}> that is not {step}")

    def make_alike(self, node: Node, wanted: Node) -> None:
        """Bring an element to mean what another does, touching what differs only."""
        if meaning(node) == meaning(wanted):
            return
        mark, before = len(self.touched), str(node)
        if self.merges(node, wanted):
            self.merge(node, wanted)
        if meaning(node) != meaning(wanted):
            # What merging cannot express (order, mixed text, foreign namespaces) is put as it is given.
            parent = node.parent
            assert parent is not None
            del self.touched[mark:]
            paths = self.tree.paths_of(node)
            at = next(i for i, child in enumerate(parent.children) if child is node)
            parent.children[at] = wanted
            self.touched.append(Touched("element_replaced", paths, raw=before))

    def merges(self, node: Node, wanted: Node) -> bool:
        parts = (*node.children, *wanted.children)
        mixed = bool(parts) and not all(is_blank(part.text) for part in (node, wanted))
        bound = wanted.prefixes().items() <= node.prefixes().items()
        return bound and not mixed and all(self.shape.tag(part) is not None for part in parts)

    def merge(self, node: Node, wanted: Node) -> None:
        kept = {attribute.name for attribute in wanted.attributes}
        for attribute in list(node.attributes):
            if attribute.name not in kept and not attribute.name.startswith("xmlns"):
                self._remove_attribute(node, attribute.name)
        for attribute in wanted.attributes:
            if not attribute.name.startswith("xmlns"):
                self._set_attribute(node, attribute.name, attribute.value)
        pairs = self.pairs(node, wanted)
        matched = {id(found) for _, found in pairs if found is not None}
        for child in list(node.children):
            if id(child) not in matched:
                self._remove(node, child)
        for place, (child, found) in enumerate(pairs):
            if found is not None:
                self.make_alike(found, child)
                continue
            new = Node.parse(str(child), node)
            after = next((f for _, f in pairs[place:] if f is not None), None)
            index = next((i for i, other in enumerate(node.children) if other is after), len(node.children))
            lead, tail, close = insert(node, new, index, self.tree.newline)
            self._created(new, str(new), lead, tail, close)
        if not wanted.children and not node.children:
            self._set_text(node, wanted.text.strip(BLANK))

    def pairs(self, node: Node, wanted: Node) -> list[tuple[Node, Node | None]]:
        """Each wanted child with the child that stands for it, by its keys."""
        pairs: list[tuple[Node, Node | None]] = []
        for child in wanted.children:
            keys = self.shape.keys_of(child)
            steps = [Step(self.shape.tag(child) or "", key) for key in keys] or [Step(self.shape.tag(child) or "")]
            found = None
            for step in steps:
                try:
                    found = found or self.shape.find(node, step)
                except XmlError:
                    continue
            pairs.append((child, found if all(found is not other for _, other in pairs) else None))
        return pairs
