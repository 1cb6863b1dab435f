"""A document while it is edited: its nodes, found and made by path."""

from __future__ import annotations

from kvmnb.core.errors import XmlError
from kvmnb.core.xml.document import Document, check_well_formed
from kvmnb.core.xml.layout import insert, place
from kvmnb.core.xml.node import Attribute, Node, escape_attribute
from kvmnb.core.xml.path import Step
from kvmnb.core.xml.shape import Shape


class Tree:
    """The nodes of one text, and what the text uses: its line end and its quotes."""

    def __init__(self, text: str, shape: Shape) -> None:
        document = Document.parse(text)
        root = document.root
        if root.name != shape.root or root.namespace is not None:
            raise XmlError(f"the XML is a <{root.name}>, not a <{shape.root}>")
        self.text = text
        self.shape = shape
        self.newline = document.newline
        self.quote = '"' if text.count('="') > text.count("='") else "'"
        self.root = Node.of(root)
        self._before, self._after = text[: root.whole.start], text[root.whole.end :]

    def find(self, steps: tuple[Step, ...]) -> Node | None:
        """The element at the end of the way, or None; raises XmlError where a step means several."""
        node: Node | None = self.root
        for step in steps:
            if node is None:
                return None
            node = self.shape.find(node, step)
        return node

    def ensure(self, steps: tuple[Step, ...], made: list[tuple[Node, str, str, str | None]]) -> Node:
        """The element at the end of the way, made with its parents where it is absent.

        ``made`` takes each new element with the white space around it and what closed its parent. Raises
        XmlError for an element that is not created on the way.
        """
        node = self.root
        for step in steps:
            found = self.shape.find(node, step)
            if found is None:
                parent, tag = node, f"{self.shape.tag(node)}/{step.name}"
                if tag in self.shape.standing:
                    raise self.shape.missing(node, step)
                if tag in self.shape.given:
                    raise XmlError(f"{self.shape.missing(node, step)}; it is made from its whole XML only")
                found = self._new(parent, step)
                made.append((found, *self.put(parent, found, step)))
            node = found
        return node

    def put(self, parent: Node, child: Node, step: Step) -> tuple[str, str, str | None]:
        """Place a new child where the order wants it."""
        index = place(parent, step, self.shape)
        if index is None:
            raise XmlError(f"<{parent.name}> takes no <{step.name}> that is known here")
        return insert(parent, child, index, self.newline)

    def paths_of(self, node: Node, attribute: str | None = None) -> tuple[str, ...]:
        """Every path of an element, or of an attribute of it."""
        if attribute is None:
            return tuple(map(str, self.shape.paths_of(node)))
        if node.parent is None:
            return (f"@{attribute}",)
        return tuple(f"{path}/@{attribute}" for path in self.shape.paths_of(node))

    def step_of(self, node: Node) -> str:
        """How a sibling is named, for finding a place beside it again."""
        tag = self.shape.tag(node)
        return node.name if tag is None else str(Step(tag, next(iter(self.shape.keys_of(node)), ())))

    def finish(self) -> str:
        """The whole text; raises XmlError if it were not well-formed."""
        text = self._before + str(self.root) + self._after
        if text != self.text:
            check_well_formed(text)
        return text

    def _new(self, parent: Node, step: Step) -> Node:
        """An empty element that the step finds."""
        node = Node(step.name, None, parent)
        prefix, colon, local = step.name.rpartition(":")
        if colon:
            uri = self.shape.namespaces.get(prefix)
            if uri is None:
                raise XmlError(f"the prefix of {step.name} stands for no namespace that is known here")
            bound = next((p for p, known in parent.prefixes().items() if known == uri and p), None)
            node.name, node.namespace = f"{bound or prefix}:{local}", uri
            if bound is None:
                node.attributes.append(self._attribute(f"xmlns:{prefix}", uri))
        key = self.shape.key(parent, step.name)
        names = key.attributes if key is not None else ()
        if names and len(names) == len(step.keys):
            pairs = zip(names, step.keys, strict=True)
            node.attributes.extend(self._attribute(name, text) for name, text in pairs)
        elif names or (step.keys and step.keys != (str(len(self.shape.namesakes(parent, step.name))),)):
            raise self.shape.missing(parent, step)
        return node

    def _attribute(self, name: str, value: str) -> Attribute:
        return Attribute(" ", name, "=", self.quote, escape_attribute(value, self.quote))
