"""A file's bytes as text and back, byte for byte: its mark, its declared encoding, its line ends."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from kvmnb.core.errors import XmlError

MAX_BYTES = 32 * 1024**2

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?\bencoding[ \t\r\n]*=[ \t\r\n]*[\"']([A-Za-z][A-Za-z0-9._-]{0,39})[\"']")
# Families that map every ASCII byte to itself; Python's other codecs (rot13, utf-7) encode no files.
_ALLOWED = re.compile(r"(?:utf-8|ascii|iso8859-\d+|cp125\d|cp437|cp85\d|koi8-[ru])\Z")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's text was written: the codec's name and the mark before it (empty where there is none)."""

    name: str = "utf-8"
    mark: bytes = b""


def decode(raw: bytes) -> tuple[str, Encoding]:
    """The text of an XML file and how it was written, so that ``encode`` gives the same bytes.

    Raises XmlError where the file is too large, its encoding is unknown, or its bytes do not fit it.
    """
    if len(raw) > MAX_BYTES:
        raise XmlError(f"the XML file has {len(raw)} bytes; more than {MAX_BYTES} are not read")
    encoding = _encoding_of(raw)
    try:
        text = raw[len(encoding.mark) :].decode(encoding.name)
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise XmlError(
            f"the XML file is not {encoding.name}: line {line} (byte {problem.start}) does not fit"
        ) from problem
    if encode(text, encoding) != raw:
        raise XmlError(f"the XML file cannot be written back byte for byte as {encoding.name}")
    return text, encoding


def encode(text: str, encoding: Encoding) -> bytes:
    """The file's bytes for a text; raises XmlError where the encoding cannot hold a character of it."""
    try:
        return encoding.mark + text.encode(encoding.name)
    except UnicodeEncodeError as problem:
        line = text.count("\n", 0, problem.start) + 1
        raise XmlError(
            f"the XML file is {encoding.name}, which cannot hold {text[problem.start]!r} of line {line}"
        ) from problem


def _encoding_of(raw: bytes) -> Encoding:
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return Encoding(name, mark)
    declared = _DECLARED.match(raw)
    if declared is None:
        return Encoding()
    asked = declared.group(1).decode("ascii")
    try:
        name = codecs.lookup(asked).name
    except LookupError as problem:
        raise XmlError(f"the XML file says that its encoding is {asked}, which is not known") from problem
    if not _ALLOWED.match(name):
        raise XmlError(f"the XML file says that its encoding is {asked}, which is not read here; save it as UTF-8")
    return Encoding(name)
