"""XML as its text and the spans of its elements.

Nothing is ever written from here: the text is the truth, and an element knows where in it its tags
stand. There is no document type, so no entity but XML's own five can be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple
from xml.parsers import expat

from kvmnb.core.errors import XmlError

# The largest domain of the test corpora has 40 kB; a capabilities document of a large host about 1 MB.
MAX_CHARACTERS = 8 * 1024**2
MAX_DEPTH = 200
MAX_ATTRIBUTES = 1000

# One text is asked about many times in a row: to plan, to edit, to see that it holds. No reader changes an element.
KEPT_CHARACTERS = 64 * 1024
KEPT_DOCUMENTS = 64

_XML_PREFIX = ("xml", "http://www.w3.org/XML/1998/namespace")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_START_TAG = re.compile(r"""<[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>""")
_ATTRIBUTE = re.compile(r"""([ \t\r\n]+)([^ \t\r\n=/>"']+)([ \t\r\n]*=[ \t\r\n]*)("[^"]*"|'[^']*')""")


class Span(NamedTuple):
    """Where something stands in the text: from ``start`` up to, not with, ``end``."""

    start: int
    end: int


class AttributeSpan(NamedTuple):
    """Where an attribute stands: with its leading white space, its name, its value without the quotes."""

    whole: Span
    name: Span
    value: Span
    quote: str


@dataclass(slots=True, eq=False, repr=False)
class Element:
    """An element: its raw name, its decoded attributes and text, and where its tags stand.

    ``namespace`` is None for no namespace and empty where the prefix is bound to none. ``end_tag`` is
    None for an element that closes itself. ``text`` is its own text, without that of its children.
    """

    name: str
    namespace: str | None
    attributes: Mapping[str, str]
    parent: Element | None
    source: str
    start_tag: Span
    end_tag: Span | None = None
    children: tuple[Element, ...] = ()
    text: str = ""

    def __repr__(self) -> str:
        return f"<Element {self.name} at {self.start_tag.start}>"

    @property
    def whole(self) -> Span:
        """The span of the element, its tags included."""
        return Span(self.start_tag.start, (self.end_tag or self.start_tag).end)

    @property
    def content(self) -> Span | None:
        """The span between the tags, or None for an element that closes itself."""
        return None if self.end_tag is None else Span(self.start_tag.end, self.end_tag.start)

    @property
    def raw(self) -> str:
        """The element's own text in the document."""
        return self.source[self.start_tag.start : self.whole.end]

    @property
    def attribute_spans(self) -> Mapping[str, AttributeSpan]:
        """Where each attribute stands, in the order of the text."""
        spans = {}
        for match in scan_attributes(self.source, self.start_tag):
            value = Span(match.start(4) + 1, match.end(4) - 1)
            spans[match[2]] = AttributeSpan(Span(*match.span()), Span(*match.span(2)), value, match[4][0])
        return spans

    def get(self, name: str) -> str | None:
        """An attribute's decoded value, or None."""
        return self.attributes.get(name)

    def values(self) -> Mapping[str, str]:
        """The decoded attributes."""
        return self.attributes

    def walk(self) -> Iterator[Element]:
        """The element and everything below it, in the order of the text."""
        todo = [self]
        while todo:
            element = todo.pop()
            yield element
            todo.extend(reversed(element.children))


@dataclass(frozen=True)
class Document:
    """A whole XML text and its root element."""

    text: str = field(repr=False)
    root: Element

    @classmethod
    def parse(cls, text: str, prefixes: Mapping[str, str] | None = None) -> Document:
        """Read a text; ``prefixes`` are the namespaces in scope around a fragment.

        Raises XmlError, with line and column, for what is not well-formed, has a document type, or is
        larger or deeper than any domain is.
        """
        if prefixes or len(text) > KEPT_CHARACTERS:
            return cls(text, _Reader(text, prefixes or {}).read())
        return cls(text, _read(text))

    def line_of(self, element: Element) -> int:
        """The line that an element begins on, counted from 1."""
        return _line_and_column(self.text, element.start_tag.start)[0]

    @cached_property
    def newline(self) -> str:
        """The line end of the document, the first one found."""
        found = _NEWLINE.search(self.text)
        return found[0] if found else "\n"


@lru_cache(maxsize=KEPT_DOCUMENTS)
def _read(text: str) -> Element:
    return _Reader(text, {}).read()


def check_well_formed(text: str) -> None:
    """Raise XmlError where an edited text would not be read; the text it came from was read before."""
    if len(text) > MAX_CHARACTERS:
        raise XmlError(f"the edited XML would have {len(text)} characters; more than {MAX_CHARACTERS} are not read")
    try:
        expat.ParserCreate("utf-8").Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as problem:
        raise XmlError(f"the edited XML would not be well-formed: {problem}") from problem


def scan_attributes(source: str, start_tag: Span) -> Iterator[re.Match[str]]:
    """Matches of the attributes in a well-formed start tag: white space, name, equals sign, quoted value."""
    return _ATTRIBUTE.finditer(source, start_tag.start, start_tag.end)


class _Reader:
    """Expat's events turned into elements; byte offsets become string offsets on the way."""

    def __init__(self, text: str, prefixes: Mapping[str, str]) -> None:
        self.text = text
        self.prefixes = dict([_XML_PREFIX, *prefixes.items()])
        self.root: Element | None = None
        self.open: list[tuple[Element, list[Element], list[str], Mapping[str, str]]] = []
        self.last_byte = self.last_character = 0

    def read(self) -> Element:
        text = self.text
        if len(text) > MAX_CHARACTERS:
            raise XmlError(f"the XML has {len(text)} characters; more than {MAX_CHARACTERS} are not read")
        if "\0" in text:
            raise self._problem("the XML holds a NUL character", text.index("\0"))
        try:
            raw = text.encode()
        except UnicodeEncodeError as problem:
            raise self._problem("the XML holds half a surrogate pair", problem.start) from problem
        self.raw = b"" if len(raw) == len(text) else raw
        # The text is already decoded: a declared encoding says how the file was written, not this string.
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(raw, True)
        except expat.ExpatError as problem:
            at = len(raw[: parser.ErrorByteIndex].decode(errors="ignore"))
            raise self._problem(f"the XML is not well-formed: {expat.ErrorString(problem.code)}", at) from problem
        if self.root is None:
            raise self._problem("the XML holds no element", 0)
        return self.root

    def _at(self) -> int:
        """The present event's place in the string; events come in the order of the text."""
        at = self.parser.CurrentByteIndex
        if not self.raw:
            return at
        self.last_character += len(self.raw[self.last_byte : at].decode())
        self.last_byte = at
        return self.last_character

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self._at()
        if len(self.open) >= MAX_DEPTH:
            raise self._problem(f"the XML is nested deeper than {MAX_DEPTH} elements", start)
        if len(attributes) > MAX_ATTRIBUTES:
            raise self._problem(f"<{name[:40]}> has more than {MAX_ATTRIBUTES} attributes", start)
        prefixes = self.open[-1][3] if self.open else self.prefixes
        for key in attributes:
            if key[:5] == "xmlns":
                prefixes = {**prefixes, **_declared(attributes)}
                break
        prefix, colon, _ = name.rpartition(":")
        namespace = prefixes.get(prefix) or ("" if colon else None)
        tag = _START_TAG.match(self.text, start)
        if tag is None:
            raise self._problem("the XML is not well-formed: unfinished tag", start)
        parent = self.open[-1][0] if self.open else None
        element = Element(name, namespace, attributes, parent, self.text, Span(start, tag.end()))
        if parent is None:
            self.root = element
        else:
            self.open[-1][1].append(element)
        self.open.append((element, [], [], prefixes))

    def _end(self, name: str) -> None:
        end = self._at()
        element, children, texts, _ = self.open.pop()
        element.children = tuple(children)
        element.text = "".join(texts)
        if self.text[element.start_tag.end - 2] != "/":
            element.end_tag = Span(end, self.text.index(">", end) + 1)

    def _text(self, characters: str) -> None:
        self.open[-1][2].append(characters)

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        raise self._problem("the XML has a document type (DOCTYPE), which no domain needs; remove it", self._at())

    def _problem(self, what: str, at: int) -> XmlError:
        line, column = _line_and_column(self.text, at)
        return XmlError(f"{what} (line {line}, column {column})")


def _declared(attributes: Mapping[str, str]) -> dict[str, str]:
    """Prefixes that a start tag binds; the empty prefix is the default namespace."""
    names = ((key, uri) for key, uri in attributes.items() if key == "xmlns" or key.startswith("xmlns:"))
    return {key[6:]: uri for key, uri in names}


def _line_and_column(text: str, at: int) -> tuple[int, int]:
    line, start = 1, 0
    for match in _NEWLINE.finditer(text, 0, at):
        line, start = line + 1, match.end()
    return line, at - start + 1
