"""Pseudonyms for special readers: one who may see names, and one who compares with an earlier recording."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.core.errors import KvmnbError
from kvmnb.share.capture import Capture
from kvmnb.share.leaks import TOKEN
from kvmnb.share.pseudonyms import Pseudonyms

# A name that may carry credentials or a query is not kept.
_PLAIN = re.compile(r"[^@?&=:%\x00-\x1f]{1,255}")
# What names something somebody made: an element of libvirt's XML, and its attributes.
_NAMING = {"source": ("file", "dev", "dir", "bridge", "network", "pool", "volume"), "target": ("dev",)}
_NAMED_FOLDERS = ("sys/class/net", "sys/block")


class KeptNames(Pseudonyms):
    """Stand-ins for all but the names of guests, their disks' files, NICs, bridges and the host."""

    def __init__(self, salt: bytes, keep: frozenset[str]) -> None:
        super().__init__(salt)
        self.kept = keep

    def name(self, original: str, field: str) -> str:
        """The name itself where it is one of those; else its stand-in."""
        return original if original in self.kept else super().name(original, field)

    def spared(self) -> frozenset[str]:
        """The words of the names that are kept."""
        return frozenset(word for name in self.kept for word in TOKEN.findall(name.lower()))


class Again(Pseudonyms):
    """Scrubs an earlier recording: the stand-ins that it shares with ``now`` stay as they are."""

    def __init__(self, now: Pseudonyms, spared: frozenset[str] = frozenset()) -> None:
        super().__init__(now.salt)
        self._stay = now.stand_ins()
        self._kept_words = spared

    def spared(self) -> frozenset[str]:
        """The words that its reader may see."""
        return self._kept_words

    def name(self, original: str, field: str) -> str:
        """As always, but for a stand-in of ``now``."""
        return original if original in self._stay else super().name(original, field)

    def uuid(self, original: str, field: str) -> str:
        """As always, but for a stand-in of ``now``."""
        return original if original in self._stay else super().uuid(original, field)

    def mac(self, original: str, field: str) -> str:
        """As always, but for a stand-in of ``now``."""
        return original if original in self._stay else super().mac(original, field)

    def address(self, original: str, field: str) -> str:
        """As always, but for a stand-in of ``now``."""
        return original if original in self._stay else super().address(original, field)

    def hexadecimal(self, original: str, field: str, digits: int) -> str:
        """As always, but for a stand-in of ``now``."""
        return original if original in self._stay else super().hexadecimal(original, field, digits)


def names_of(found: Capture) -> frozenset[str]:
    """The names that a reader may see, as they stand in what was read."""
    every = (*_of_xml(found), *_of_host(found))
    parts = {part for name in every if _PLAIN.fullmatch(name) for part in _parts(name)}
    return frozenset(part for part in parts if _PLAIN.fullmatch(part)) | {one.name for one in found.survey.domains}


def _of_xml(found: Capture) -> Iterator[str]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    for text in found.xml.values():
        try:
            root = etree.fromstring(text.encode(), parser)
        except (etree.XMLSyntaxError, KvmnbError):
            continue
        for tag, keys in _NAMING.items():
            for element in root.iterfind(f"devices/*/{tag}"):
                yield from (str(element.get(key)) for key in keys if element.get(key))


def _of_host(found: Capture) -> Iterator[str]:
    for folder in _NAMED_FOLDERS:
        yield from found.folders.get(folder, ())
    yield found.texts.get("proc/sys/kernel/hostname", b"").decode("utf-8", "replace").strip() or "localhost"


def _parts(name: str) -> Iterator[str]:
    """The parts of a path as they are scrubbed one by one: each whole, without its ending, and a mapper's halves."""
    for part in name.split("/"):
        yield part
        yield re.sub(r"(?:\.[A-Za-z0-9]{1,8})+\Z", "", part)
        yield from (half.replace("--", "-") for half in re.split(r"(?<!-)-(?!-)", part))
        base, dot, number = part.rpartition(".")
        yield base if dot and number.isdecimal() else part
