"""What stands in a document at a path, and whether two elements mean the same."""

from __future__ import annotations

from kvmnb.core.errors import XmlError
from kvmnb.core.xml.document import Document, Element
from kvmnb.core.xml.node import BLANK, Node
from kvmnb.core.xml.path import Path
from kvmnb.core.xml.shape import Part, Shape
from kvmnb.core.xml.tree import Tree


def read(document: Document, path: Path, shape: Shape) -> str | None:
    """What stands at a path: an attribute's value, a text without space around it, an element's raw text.

    None where it is absent. Raises XmlError where a device on the way is missing or a step means several.
    """
    if document.root.name != shape.root or document.root.namespace is not None:
        raise XmlError(f"the XML is a <{document.root.name}>, not a <{shape.root}>")
    element: Element = document.root
    for step in path.steps:
        found = shape.find(element, step)
        if found is None:
            if shape.is_standing(element, step.name):
                raise shape.missing(element, step)
            return None
        element = found
    if path.attribute is not None:
        return element.get(path.attribute)
    return element.text.strip(BLANK) if path.text else element.raw


def holds(document: Document, path: Path, value: str | None, shape: Shape) -> bool:
    """Whether a value stands at a path already, in whatever way it is written.

    An element also holds where the document's reader has added to it what it adds by itself.
    """
    found = read(document, path, shape)
    if path.text and value is not None:
        return found == value.strip(BLANK)
    if found is None or value is None or path.attribute is not None:
        return found == value
    tree = Tree(document.text, shape)
    node = tree.find(path.steps)
    assert node is not None
    return node.parent is not None and _fits(node, Node.parse(value.strip(BLANK), node.parent), shape)


def same(left: str, right: str) -> bool:
    """Whether two elements' texts mean the same, whatever their white space, quotes and comments."""
    return left == right or meaning(Document.parse(left).root) == meaning(Document.parse(right).root)


def meaning(part: Part) -> tuple[object, ...]:
    """What an element says, whatever way it is written."""
    return (
        part.namespace,
        part.name.rpartition(":")[2],
        tuple(sorted((name, value) for name, value in part.values().items() if not name.startswith("xmlns"))),
        part.text.strip(BLANK),
        tuple(meaning(child) for child in part.children),
    )


def _fits(node: Node, wanted: Node, shape: Shape) -> bool:
    """Whether an element means what another does, but for what the document's reader adds."""
    if meaning(node) == meaning(wanted):
        return True
    said, asked = dict(node.values()), dict(wanted.values())
    for name in [name for name in said if name not in asked]:
        if name.startswith("xmlns") or any(shape.is_added(node, m) for m in (f"@{name}", f"@{name}={said[name]}")):
            del said[name]
    own = wanted.children
    names = {child.name for child in own}
    there = [child for child in node.children if child.name in names or not shape.is_added(node, child.name)]
    return (
        shape.tag(node) == shape.tag(wanted)
        and said == {name: value for name, value in asked.items() if not name.startswith("xmlns")}
        and node.text.strip(BLANK) == wanted.text.strip(BLANK)
        and len(there) == len(own)
        and all(_fits(child, other, shape) for child, other in zip(there, own, strict=True))
    )
