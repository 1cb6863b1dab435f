"""An element while it is edited: the raw pieces of its text, which joined give the text again.

A node that nothing has looked into is one piece, so an edit costs what it touches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kvmnb.core.errors import XmlError
from kvmnb.core.xml.document import Document, Element, scan_attributes

BLANK = " \t\r\n"

_MARKUP = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(.*?)\]\]>|([^<]+)", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(\w+));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEWLINE = re.compile(r"\r\n?|\n")


@dataclass(slots=True)
class Attribute:
    """An attribute's pieces: the white space before it, name, equals sign, quote, value as written."""

    lead: str
    name: str
    equals: str
    quote: str
    raw: str

    def __str__(self) -> str:
        return f"{self.lead}{self.name}{self.equals}{self.quote}{self.raw}{self.quote}"

    @property
    def value(self) -> str:
        """The decoded value, with white space as XML hands it on."""
        return _decode(re.sub("[\t\n]", " ", _NEWLINE.sub("\n", self.raw)))


class Node:
    """An element's pieces: tag, attributes, ``children``, and the ``gaps`` of text around these."""

    def __init__(self, name: str, namespace: str | None, parent: Node | None = None) -> None:
        self.name = name
        self.namespace = namespace
        self.parent = parent
        self._element: Element | None = None
        self._attributes: list[Attribute] = []
        self._children: list[Node] = []
        self._gaps = [""]
        self.close = "/>"
        self.end = ""

    @classmethod
    def of(cls, element: Element, parent: Node | None = None) -> Node:
        """The node of an element that was read."""
        node = cls(element.name, element.namespace, parent)
        node._element = element
        return node

    @classmethod
    def parse(cls, text: str, parent: Node) -> Node:
        """The node of one element's XML text, to stand in ``parent``; raises XmlError for anything else."""
        document = Document.parse(text, parent.prefixes())
        if document.root.raw != text:
            raise XmlError(f"the XML is more than one element: {text[:60]!r}")
        for element in document.root.walk():
            if element.namespace == "":
                raise XmlError(f"the prefix of <{element.name}> is bound to no namespace")
        return cls.of(document.root, parent)

    def __str__(self) -> str:
        if self._element is not None:
            return self._element.raw
        inner = [self._gaps[0]]
        for child, gap in zip(self._children, self._gaps[1:], strict=True):
            inner += (str(child), gap)
        return f"<{self.name}{''.join(map(str, self._attributes))}{self.close}{''.join(inner)}{self.end}"

    @property
    def attributes(self) -> list[Attribute]:
        self._look()
        return self._attributes

    @property
    def children(self) -> list[Node]:
        self._look()
        return self._children

    @property
    def gaps(self) -> list[str]:
        self._look()
        return self._gaps

    @property
    def text(self) -> str:
        """The element's own text, decoded."""
        if self._element is not None:
            return self._element.text
        return "".join(_text_of(gap) for gap in self._gaps)

    def get(self, name: str) -> str | None:
        if self._element is not None:
            return self._element.get(name)
        found = self.attribute(name)
        return None if found is None else found.value

    def values(self) -> Mapping[str, str]:
        """The decoded attributes."""
        if self._element is not None:
            return self._element.attributes
        return {attribute.name: attribute.value for attribute in self._attributes}

    def attribute(self, name: str) -> Attribute | None:
        return next((attribute for attribute in self.attributes if attribute.name == name), None)

    def prefixes(self) -> Mapping[str, str]:
        """The namespaces in scope inside the element; the empty prefix is the default namespace."""
        around = dict(self.parent.prefixes()) if self.parent is not None else {}
        for attribute in self.attributes:
            if attribute.name == "xmlns" or attribute.name.startswith("xmlns:"):
                around[attribute.name[6:]] = attribute.value
        return around

    def open(self) -> str | None:
        """Give an element that closes itself an end tag; what closed it before, or None."""
        self._look()
        if self.end:
            return None
        closed, self.close, self.end = self.close, ">", f"</{self.name}>"
        return closed

    def shut(self, close: str) -> None:
        """Let an element without content close itself again."""
        if not self.children and not self.gaps[0].strip(BLANK):
            self.close, self.end, self.gaps[:] = close, "", [""]

    def insert(self, child: Node, index: int, offset: int, lead: str, tail: str) -> None:
        """Put a child before the ``index``-th, ``offset`` characters into the gap there."""
        gap = self.gaps[index]
        self.gaps[index : index + 1] = [gap[:offset] + lead, tail + gap[offset:]]
        self.children.insert(index, child)
        child.parent = self

    def remove(self, child: Node, lead: str = "", tail: str = "") -> tuple[int, str, str]:
        """Take a child out with the white space before it; its index, the gap before it, that space."""
        index = next(i for i, other in enumerate(self.children) if other is child)
        before, after = self.gaps[index : index + 2]
        if not lead or not before.endswith(lead):
            lead, tail = before[len(before.rstrip(BLANK)) :], ""
        gap = before[: len(before) - len(lead)]
        self.gaps[index : index + 2] = [gap + (after.removeprefix(tail) if len(self.children) == 1 else after)]
        del self.children[index]
        return index, gap, lead

    @property
    def content(self) -> str | None:
        """The raw text of an element without children; None where it closes itself."""
        self._look()
        return self._gaps[0] if self.end else None

    @property
    def core(self) -> tuple[int, int]:
        """Where in the content of an element without children its text stands, without space around it."""
        found = [m.span() for m in _MARKUP.finditer(self.gaps[0]) if m[1] is not None or (m[2] or "").strip(BLANK)]
        if not found:
            return (0, len(self.gaps[0])) if not self.gaps[0].strip(BLANK) else (0, 0)
        start, end = found[0][0], found[-1][1]
        inner = self.gaps[0][start:end]
        return start + len(inner) - len(inner.lstrip(BLANK)), end - len(inner) + len(inner.rstrip(BLANK))

    @property
    def plain(self) -> bool:
        """Whether nothing but white space stands between the element's children."""
        return not any(gap.strip(BLANK) for gap in self.gaps)

    def _look(self) -> None:
        """Take the element apart, one level deep."""
        element = self._element
        if element is None:
            return
        self._element = None
        source, at = element.source, element.start_tag.start + 1 + len(element.name)
        for match in scan_attributes(source, element.start_tag):
            self._attributes.append(Attribute(match[1], match[2], match[3], match[4][0], match[4][1:-1]))
            at = match.end()
        self.close = source[at : element.start_tag.end]
        self._children = [Node.of(child, self) for child in element.children]
        if element.end_tag is None:
            return
        self.end = source[element.end_tag.start : element.end_tag.end]
        starts = [child.start_tag.start for child in element.children] + [element.end_tag.start]
        ends = [element.start_tag.end] + [child.whole.end for child in element.children]
        self._gaps = [source[a:b] for a, b in zip(ends, starts, strict=True)]


def escape_attribute(value: str, quote: str) -> str:
    """A value as it is written between such quotes."""
    raw = _checked(value).replace("&", "&amp;").replace("<", "&lt;")
    raw = raw.replace(quote, "&quot;" if quote == '"' else "&apos;")
    return raw.replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")


def escape_text(value: str) -> str:
    """A text as it is written between tags."""
    raw = _checked(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return raw.replace("\r", "&#13;")


def _checked(value: str) -> str:
    bad = _FORBIDDEN.search(value)
    if bad is not None:
        raise XmlError(f"the value {value[:40]!r} holds {bad[0]!r}, which XML cannot hold")
    return value


def _text_of(gap: str) -> str:
    gap = _NEWLINE.sub("\n", gap)
    return "".join(m[1] if m[1] is not None else _decode(m[2] or "") for m in _MARKUP.finditer(gap))


def _decode(raw: str) -> str:
    if "&" not in raw:
        return raw
    return _REFERENCE.sub(lambda m: chr(int(m[1], 16)) if m[1] else chr(int(m[2])) if m[2] else _NAMED[m[3]], raw)
