"""XML that is read and edited in place, as spans of its text."""

from kvmnb.core.xml.document import AttributeSpan, Document, Element, Span
from kvmnb.core.xml.edit import Changes, Edited, edit
from kvmnb.core.xml.encoding import Encoding, decode, encode
from kvmnb.core.xml.kept import altered
from kvmnb.core.xml.mask import mask
from kvmnb.core.xml.meaning import holds, read, same
from kvmnb.core.xml.path import Path, Step
from kvmnb.core.xml.reversal import Reversal, Touched, revert
from kvmnb.core.xml.shape import Key, Shape

__all__ = [
    "AttributeSpan",
    "Changes",
    "Document",
    "Edited",
    "Element",
    "Encoding",
    "Key",
    "Path",
    "Reversal",
    "Shape",
    "Span",
    "Step",
    "Touched",
    "altered",
    "decode",
    "edit",
    "encode",
    "holds",
    "mask",
    "read",
    "revert",
    "same",
]
