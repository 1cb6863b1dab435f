"""A setting in a domain's persistent configuration, which its next start reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError, NotAnswered, WriteFailed
from kvmnb.core.xml import Document, Edited, Path, Reversal, edit, read, revert
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.tunable.domain_shape import DOMAIN
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.tunable import State, Undo, Verdict, When


@dataclass(frozen=True, slots=True)
class DomainXml:
    """One place in a domain's inactive XML: ``path`` ends in ``/@attr``, ``/text()`` or an element.

    All changes of one domain are one define; ``edited`` and ``define`` take them together.
    """

    kind: ClassVar[str] = "domain_xml"

    domain: str
    uuid: str
    path: str

    def __post_init__(self) -> None:
        Path.parse(self.path)

    @property
    def target(self) -> str:
        return self.domain

    @property
    def when(self) -> When:
        return When.GUEST_START

    @property
    def undo(self) -> Undo:
        return Undo.EXACT

    def read(self, machine: Machine) -> str | None:
        return value_in(Document.parse(machine.libvirt.xml(self.uuid, Layer.PERSISTENT)), self.path)

    def write(self, machine: Machine, value: str | None) -> None:
        define(machine, self.uuid, edited(machine.libvirt.xml(self.uuid, Layer.PERSISTENT), [(self, value)]).text)

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """In the persistent XML; the reason says whether the running guest has it already."""
        try:
            found = self.read(machine)
        except NotAnswered as problem:
            return Verdict(State.NOT_APPLICABLE, None, value, str(problem))
        if not same_value(value, found):
            return Verdict(State.DIFFERS, found, value, "read from the persistent XML")
        try:
            live = value_in(Document.parse(machine.libvirt.xml(self.uuid, Layer.LIVE)), self.path)
        except (NotAnswered, KvmnbError):
            return Verdict(State.HOLDS, found, value, "read from the persistent XML; the guest is shut off")
        tail = "the running guest has it" if same_value(value, live) else "the running guest takes it at its next start"
        return Verdict(State.HOLDS, found, value, f"read from the persistent XML; {tail}")

    def command(self, value: str | None) -> str:
        what = f"set {self.path} to {value!r}" if value is not None else f"remove {self.path}"
        return f"virsh edit {shell_word(self.domain)}  # {what}"

    def __str__(self) -> str:
        return f"domain_xml:{percent_encode(self.domain)}:{self.path}"


def value_in(document: Document, path: str) -> str | None:
    """The value at a path of a domain XML; None where it is absent."""
    return read(document, Path.parse(path), DOMAIN)


def edited(text: str, values: Sequence[tuple[DomainXml, str | None]]) -> Edited:
    """A domain's XML with these values, and the steps that take just them back."""
    return edit(text, [(Path.parse(tunable.path), value) for tunable, value in values], DOMAIN)


def reverted(text: str, reversal: Reversal) -> str:
    """A domain's XML as it is now, without what ``edited`` had put in."""
    return revert(text, reversal, DOMAIN)


def define(machine: Machine, uuid: str, text: str) -> None:
    """Make an edited XML the persistent configuration of its domain."""
    try:
        machine.libvirt.define(uuid, text)
    except NotAnswered as problem:
        raise WriteFailed(str(problem)) from problem


def same_value(wanted: str | None, found: str | None) -> bool:
    """Whether a value that was read back is the one that was written.

    libvirt spells CPU sets its own way and adds attributes to elements, so sets are compared as
    sets, and of an element all that was wanted must be there.
    """
    if wanted == found or wanted is None or found is None:
        return wanted == found
    if wanted.lstrip().startswith("<"):
        return found.lstrip().startswith("<") and _holds(_tree(wanted), _tree(found))
    try:
        return CpuSet.parse(wanted) == CpuSet.parse(found)
    except KvmnbError:
        return False


_Tree = tuple[str, dict[str, str], str, list["_Tree"]]


def _tree(text: str) -> _Tree:
    def of(element: object) -> _Tree:
        node = element
        return (
            node.name,  # type: ignore[attr-defined]
            dict(node.attributes),  # type: ignore[attr-defined]
            node.text.strip(),  # type: ignore[attr-defined]
            [of(child) for child in node.children],  # type: ignore[attr-defined]
        )

    return of(Document.parse(text).root)


def _holds(wanted: _Tree, found: _Tree) -> bool:
    if wanted[0] != found[0] or wanted[2] != found[2] or not wanted[1].items() <= found[1].items():
        return False
    left = list(found[3])
    for child in wanted[3]:
        match = next((other for other in left if _holds(child, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True
