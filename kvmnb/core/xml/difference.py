"""What another hand changed between two texts, as the steps that take just that back."""

from __future__ import annotations

from kvmnb.core.errors import XmlError
from kvmnb.core.xml.edit import Editor
from kvmnb.core.xml.meaning import meaning
from kvmnb.core.xml.node import Node
from kvmnb.core.xml.reversal import Reversal
from kvmnb.core.xml.shape import Shape
from kvmnb.core.xml.tree import Tree


def difference(before: str, after: str, shape: Shape) -> Reversal:
    """What brings ``after`` back to the meaning of ``before``; order among siblings is no difference.

    Children of the root in foreign namespaces have no path and are left out. Raises XmlError where a difference has
    no path either, such as one of two devices that nothing tells apart.
    """
    tree, wanted = Tree(before, shape), Tree(after, shape).root
    if meaning(tree.root) == meaning(wanted):
        return Reversal()
    for root in (tree.root, wanted):
        for child in [child for child in root.children if shape.tag(child) is None]:
            root.remove(child)
    differ = _Differ(tree)
    differ.merge(tree.root, wanted)
    return Reversal(tuple(differ.touched))


class _Differ(Editor):
    """An edit that never puts a whole element in the place of one that can be taken apart."""

    def make_alike(self, node: Node, wanted: Node) -> None:
        if meaning(node) == meaning(wanted):
            return
        if self.merges(node, wanted):
            self.merge(node, wanted)
        elif node.parent is not None:
            super().make_alike(node, wanted)
        else:
            raise XmlError(f"<{node.name}> cannot be taken apart")

    def pairs(self, node: Node, wanted: Node) -> list[tuple[Node, Node | None]]:
        """What means the same stands for itself, wherever it moved and whatever else has its keys."""
        alike: dict[int, Node] = {}
        for child in wanted.children:
            free = (other for other in node.children if all(other is not taken for taken in alike.values()))
            found = next((other for other in free if meaning(other) == meaning(child)), None)
            if found is not None:
                alike[id(child)] = found
        taken = {id(other) for other in alike.values()}
        return [
            (child, alike.get(id(child)) or (None if found is not None and id(found) in taken else found))
            for child, found in super().pairs(node, wanted)
        ]
