"""What takes an edit back: for every node that was touched, what stood there before.

Plain values, so that a journal can hold them. A node is found by its path in the text as it is then,
which may have changed elsewhere or have been written anew by libvirt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kvmnb.core.errors import XmlError
from kvmnb.core.xml.layout import insert, is_blank, place
from kvmnb.core.xml.node import Attribute, Node, escape_attribute
from kvmnb.core.xml.path import Path, Step
from kvmnb.core.xml.shape import Shape
from kvmnb.core.xml.tree import Tree

Did = Literal[
    "attribute_set", "attribute_added", "attribute_removed", "text_set",
    "element_created", "element_removed", "element_replaced", "element_ruled",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Touched:
    """One node that an edit touched.

    ``paths`` find it, the preferred one first. ``raw`` is what stood there (for a created element: what
    was put there), ``put`` a text as the edit left it. ``lead``, ``tail`` and ``gap`` are the text
    around an element; ``after`` is the path's step, or the attribute, that stood before it, at ``index`` - 1.
    ``close`` is how the tag ended that an edit opened.
    ``counted`` says that a removed element was found by its position, which another has now.
    """

    did: Did
    paths: tuple[str, ...]
    raw: str = ""
    put: str = ""
    quote: str = ""
    equals: str = ""
    lead: str = ""
    tail: str = ""
    gap: str = ""
    after: str = ""
    index: int = 0
    counted: bool = False
    close: str | None = None


@dataclass(frozen=True, slots=True)
class Reversal:
    """What takes one edit back, in the order it was done."""

    touched: tuple[Touched, ...] = ()


def revert(text: str, reversal: Reversal, shape: Shape) -> str:
    """Take back what an edit touched, and nothing else, in the text as it is now.

    On the text that the edit made, the result is the edit's own input, byte for byte. A node that is gone
    is left so; one that the edit removed is put back, with parents where these are gone too.
    """
    tree = Tree(text, shape)
    for touched in reversed(reversal.touched):
        _UNDO[touched.did](tree, touched)
    return tree.finish()


def _attribute_set(tree: Tree, touched: Touched) -> None:
    node, name = _owner(tree, touched)
    if node is None:
        return
    attribute = node.attribute(name)
    if attribute is None:
        node.attributes.append(Attribute(" ", name, "=", touched.quote, touched.raw))
    elif attribute.quote == touched.quote:
        attribute.raw = touched.raw
    else:
        before = Attribute("", name, "=", touched.quote, touched.raw)
        attribute.raw = escape_attribute(before.value, attribute.quote)


def _attribute_added(tree: Tree, touched: Touched) -> None:
    node, name = _owner(tree, touched)
    attribute = node.attribute(name) if node is not None else None
    if node is not None and attribute is not None:
        node.attributes.remove(attribute)


def _attribute_removed(tree: Tree, touched: Touched) -> None:
    node, name = _owner(tree, touched)
    if node is None:
        node = _made_again(tree, Path.parse(touched.paths[0]).steps)
    if node is None:
        return
    if node.attribute(name) is not None:
        _attribute_set(tree, touched)
        return
    names = [attribute.name for attribute in node.attributes]
    index = names.index(touched.after) + 1 if touched.after in names else 0 if not touched.after else len(names)
    node.attributes.insert(index, Attribute(touched.lead, name, touched.equals, touched.quote, touched.raw))


def _text_set(tree: Tree, touched: Touched) -> None:
    node = _element(tree, touched)
    if node is None or node.children:
        return
    if node.content == touched.put:
        node.gaps[0] = touched.raw
    else:
        before = Node("", None)
        before.gaps[0] = touched.raw
        (start, end), (first, last) = node.core, before.core
        node.open()
        node.gaps[0] = node.gaps[0][:start] + touched.raw[first:last] + node.gaps[0][end:]
    if touched.close is not None:
        node.shut(touched.close)


def _element_created(tree: Tree, touched: Touched) -> None:
    node = _element(tree, touched)
    if node is None or node.parent is None:
        return
    ours = Node.parse(touched.raw, node.parent)
    parent = node.parent
    if _subtract(node, ours, tree.shape):
        parent.remove(node, touched.lead, touched.tail)
        if touched.close is not None:
            parent.shut(touched.close)


def _element_removed(tree: Tree, touched: Touched) -> None:
    path = Path.parse(touched.paths[0])
    node = None if touched.counted else _element(tree, touched)
    if node is not None:
        _put(node, touched.raw)
        return
    parent = tree.find(path.steps[:-1]) or _made_again(tree, path.steps[:-1])
    if parent is None:
        return
    parent.open()
    node = Node.parse(touched.raw, parent)
    index = touched.index
    before = tree.step_of(parent.children[index - 1]) if 0 < index <= len(parent.children) else ""
    if index <= len(parent.children) and before == touched.after and parent.gaps[index].startswith(touched.gap):
        parent.insert(node, index, len(touched.gap), touched.lead, "")
        return
    known = [tree.step_of(child) for child in parent.children]
    fitting = place(parent, path.steps[-1], tree.shape)
    index = known.index(touched.after) + 1 if touched.after in known else len(known) if fitting is None else fitting
    insert(parent, node, index, tree.newline, tidy=False)


def _element_replaced(tree: Tree, touched: Touched) -> None:
    node = _element(tree, touched)
    if node is not None:
        _put(node, touched.raw)


def _element_ruled(tree: Tree, touched: Touched) -> None:
    """Put back what the document's reader dropped for a ruling attribute, and take away what it added."""
    node = _element(tree, touched)
    if node is None or node.parent is None:
        return
    before = Node.parse(touched.raw, node.parent)
    for attribute in list(node.attributes):
        own = before.attribute(attribute.name) is not None
        if not own and tree.shape.is_added(node, f"@{attribute.name}={attribute.value}"):
            node.attributes.remove(attribute)
    for attribute in before.attributes:
        if node.attribute(attribute.name) is None:
            node.attributes.append(attribute)
    for child in before.children:
        tag = tree.shape.tag(child)
        if tag is None:
            continue
        step = Step(tag, next(iter(tree.shape.keys_of(child)), ()))
        if not tree.shape.namesakes(node, tag) or (step.keys and _find(tree.shape, node, step) is None):
            index = place(node, step, tree.shape)
            new = Node.parse(str(child), node)
            insert(node, new, len(node.children) if index is None else index, tree.newline, tidy=False)


_UNDO = {
    "attribute_set": _attribute_set,
    "attribute_added": _attribute_added,
    "attribute_removed": _attribute_removed,
    "text_set": _text_set,
    "element_created": _element_created,
    "element_removed": _element_removed,
    "element_replaced": _element_replaced,
    "element_ruled": _element_ruled,
}


def _element(tree: Tree, touched: Touched) -> Node | None:
    """The node that a path finds now; a further path counts where the elements that keys name are not found."""
    for path in touched.paths:
        steps = Path.parse(path).steps
        named = max((i + 1 for i, step in enumerate(steps) if step.keys), default=0)
        if tree.find(steps[:named]) is not None:
            return tree.find(steps)
    return None


def _owner(tree: Tree, touched: Touched) -> tuple[Node | None, str]:
    return _element(tree, touched), Path.parse(touched.paths[0]).attribute or ""


def _made_again(tree: Tree, steps: tuple[Step, ...]) -> Node | None:
    """An element that is gone, made again; None where it is a device that was taken away meanwhile."""
    try:
        return tree.ensure(steps, [])
    except XmlError:
        return None


def _put(node: Node, raw: str) -> None:
    parent = node.parent
    if parent is not None:
        parent.children[next(i for i, child in enumerate(parent.children) if child is node)] = Node.parse(raw, parent)


def _subtract(node: Node, ours: Node, shape: Shape) -> bool:
    """Take out of an element what an edit put there; whether it then holds nothing that others put there."""
    for child in ours.children:
        tag = shape.tag(child)
        keys = shape.keys_of(child)
        steps = [Step(tag, key) for key in keys] or [Step(tag)] if tag is not None else []
        found = next(filter(None, (_find(shape, node, step) for step in steps)), None)
        if found is not None and _subtract(found, child, shape):
            node.remove(found)
    own = {attribute.name for attribute in ours.attributes}
    empty = (
        all(shape.is_added(node, child.name) for child in node.children)
        and all(
            a.name in own
            or a.name.startswith("xmlns")
            or shape.is_added(node, f"@{a.name}")
            or shape.is_added(node, f"@{a.name}={a.value}")
            for a in node.attributes
        )
        and (node.plain or (not node.children and not is_blank(ours.gaps[0]) and "<!--" not in node.gaps[0]))
    )
    if not empty:
        keep = _key_attributes(node, shape)
        node.attributes[:] = [a for a in node.attributes if a.name not in own or a.name in keep]
    return empty


def _find(shape: Shape, node: Node, step: Step) -> Node | None:
    try:
        return shape.find(node, step)
    except XmlError:
        return None


def _key_attributes(node: Node, shape: Shape) -> tuple[str, ...]:
    tag = shape.tag(node)
    key = shape.key(node.parent, tag) if node.parent is not None and tag is not None else None
    return key.attributes if key is not None else ()
