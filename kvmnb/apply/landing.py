"""What a define came to: libvirt adds devices of its own, and sometimes changes a value beside the asked ones."""

from __future__ import annotations

from kvmnb.core.errors import WriteFailed, XmlError
from kvmnb.core.xml import Reversal, Touched, revert
from kvmnb.core.xml.difference import difference
from kvmnb.machine.domain_shape import DOMAIN

_ADDED = ("element_created", "attribute_added")
# What libvirt 9.0 writes by itself at a define: memory as the sum of the cells, controllers for new devices.
_LIBVIRTS_OWN = ("memory", "currentMemory", "devices/controller[")


def beside(before: str, reversal: Reversal, now: str) -> Reversal:
    """What takes back a define with all that libvirt changed beside it; WriteFailed where that cannot be told."""
    try:
        rest = difference(before, revert(now, reversal, DOMAIN), DOMAIN)
    except XmlError as problem:
        said = f"libvirt changed the XML beside what was asked, in a way without undo: {problem}"
        raise WriteFailed(said) from None
    # Taken back from its end: the plan's own changes first.
    return Reversal((*rest.touched, *reversal.touched))


def altered(whole: Reversal, asked: Reversal) -> tuple[str, ...]:
    """The places beside the asked ones where libvirt changed or took away what stood there."""
    rest = whole.touched[: len(whole.touched) - len(asked.touched)]
    return tuple(touched.paths[0] for touched in rest if touched.did not in _ADDED)


def from_the_air(before: str, reversal: Reversal, now: str) -> Reversal:
    """What takes back a define whose outcome no record tells.

    Beside the plan's own nodes only what libvirt writes by itself is taken for its doing; all else may be
    somebody's work since, and stays.
    """
    try:
        rest = difference(before, revert(now, reversal, DOMAIN), DOMAIN)
    except XmlError:
        return reversal
    return Reversal((*(touched for touched in rest.touched if _libvirts_own(touched)), *reversal.touched))


def _libvirts_own(touched: Touched) -> bool:
    path = touched.paths[0]
    if touched.did == "element_created":
        return path.startswith(_LIBVIRTS_OWN[-1])
    return touched.did == "text_set" and path in _LIBVIRTS_OWN
