"""Where a new element goes, and the white space that makes it look like its neighbours."""

from __future__ import annotations

import re

from kvmnb.core.xml.node import BLANK, Node
from kvmnb.core.xml.path import Step
from kvmnb.core.xml.shape import Shape

_LAST_LINE = re.compile(r"(\r\n|\n|\r)([ \t]*)\Z")
_LINE_END = re.compile(r"[ \t]*(?:\r\n|\n|\r)")
# Comments that end their line belong to what stands before them.
_TRAILING_COMMENTS = re.compile(r"(?:[ \t]*<!--(?:(?!-->)[^\r\n])*-->)+(?=[ \t]*[\r\n])")
_DEFAULT_UNIT = "  "


def insert(parent: Node, child: Node, index: int, newline: str, *, tidy: bool = True) -> tuple[str, str, str | None]:
    """Put a child before the ``index``-th, on a line of its own where its siblings have one.

    Returns the white space before and after it, and what closed the parent if it closed itself.
    """
    opened = parent.open()
    gap = parent.gaps[index]
    lead = _lead(parent, index, newline)
    tail, offset = "", 0
    if lead:
        comments = _TRAILING_COMMENTS.match(gap)
        offset = comments.end() if comments else 0
        if not parent.children and not _LINE_END.match(gap, offset):
            line = _own_line(parent)
            tail = newline if line is None else line[0] + line[1]
    if tidy:
        _arrange(child, lead, _unit(parent) if lead else "")
    parent.insert(child, index, offset, lead, tail)
    return lead, tail, opened


def place(parent: Node, step: Step, shape: Shape) -> int | None:
    """The index that keeps the shape's order for a new child, or None where the parent takes none."""
    order = shape.order_of(parent)
    if step.name not in order:
        return None
    ranks = {name: rank for rank, name in enumerate(order)}
    mine = ranks[step.name]
    placed = [(ranks.get(shape.tag(child) or "", len(order)), i) for i, child in enumerate(parent.children)]
    namesakes = [i for rank, i in placed if rank == mine]
    if namesakes:
        keys = [each.keys[0] for each in shape.named(parent, step.name)]
        before = [i for i, others in zip(namesakes, keys, strict=True) if not _precedes(step.keys, others)]
        return before[-1] + 1 if before else namesakes[0]
    return max(((rank, i + 1) for rank, i in placed if rank < mine), default=(0, 0))[1]


def _precedes(keys: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether keys that are numbers are smaller than others; names stay in the order they came."""
    if not all(key.isdecimal() for key in (*keys, *others)):
        return False
    return tuple(map(int, keys)) < tuple(map(int, others))


def _lead(parent: Node, index: int, newline: str) -> str:
    """The line end and indentation of the siblings, or what the parent's own suggest."""
    nearest = [i for i in (index - 1, *range(len(parent.children))) if 0 <= i < len(parent.children)]
    for i in nearest:
        match = _LAST_LINE.search(parent.gaps[i])
        if match:
            return match[0]
    if parent.children:
        return ""
    line = _own_line(parent)
    if line is None:
        return ""
    return line[0] + line[1] + _unit(parent)


def _own_line(node: Node) -> tuple[str, str] | None:
    """The line end and indentation before an element that begins its line."""
    if node.parent is None:
        found = _LAST_LINE.search(node.gaps[-1])
        return (found[1], "") if found else None
    index = next(i for i, child in enumerate(node.parent.children) if child is node)
    match = _LAST_LINE.search(node.parent.gaps[index])
    return (match[1], match[2]) if match else None


def _unit(node: Node) -> str:
    """What the document indents by, seen at the root's children."""
    while node.parent is not None:
        node = node.parent
    for gap in node.gaps[:-1]:
        match = _LAST_LINE.search(gap)
        if match:
            return match[2]
    return _DEFAULT_UNIT


def _arrange(node: Node, lead: str, unit: str) -> None:
    """Lay out what is inside a new element as the document lays out its own, or on one line as it stands."""
    if not node.children or not node.plain:
        return
    inner = lead + unit if lead else ""
    node.gaps[:] = [inner] * len(node.children) + [lead]
    for child in node.children:
        _arrange(child, inner, unit)


def is_blank(text: str) -> bool:
    """Whether a raw text is white space only."""
    return not text.strip(BLANK)
