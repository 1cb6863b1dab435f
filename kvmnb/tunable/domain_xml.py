"""A setting in a domain's persistent configuration, which its next start reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError, NotAnswered, Refused, WriteFailed
from kvmnb.core.xml import Document, Edited, Path, Reversal, altered, edit, holds, read, revert, same
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.target import domain_of
from kvmnb.tunable.tunable import State, Undo, Verdict, Want, When

# A whole <devices> of 200 disks is shorter.
MAX_CHARACTERS = 200_000
# What XML 1.0 has no spelling for.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class DomainXml:
    """One place in a domain's inactive XML: ``path`` ends in ``/@attr``, ``/text()`` or an element.

    All changes of one domain are one define; ``edited`` and ``define`` take them together.
    """

    kind: ClassVar[str] = "domain_xml"
    lasts: ClassVar[bool] = True

    domain: str
    uuid: str
    path: str

    def __post_init__(self) -> None:
        Path.parse(self.path)

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> DomainXml:
        return cls(*domain_of(target, domains), path)

    @property
    def target(self) -> str:
        return self.domain

    @property
    def when(self) -> When:
        return When.GUEST_START

    @property
    def undo(self) -> Undo:
        return Undo.EXACT

    def check(self, value: str | None) -> None:
        if value is not None and (len(value) > MAX_CHARACTERS or _NOT_XML.search(value)):
            raise Refused(
                f"{self.path} of domain {self.domain!r} cannot be {value[:80]!r}: it is too long or no XML text"
            )

    def read(self, machine: Machine) -> str | None:
        return value_in(Document.parse(machine.libvirt.xml(self.uuid, Layer.PERSISTENT)), self.path)

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        define(machine, self.uuid, edited(machine.libvirt.xml(self.uuid, Layer.PERSISTENT), [(self, value)]).text)

    def holds(self, machine: Machine, value: str | None, layer: Layer = Layer.PERSISTENT) -> bool:
        """Whether the value is there, in libvirt's spelling and beside what libvirt adds by itself."""
        return holds_in(Document.parse(machine.libvirt.xml(self.uuid, layer)), self.path, value)

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """In the persistent XML; the reason says whether the running guest has it already."""
        try:
            found = self.read(machine)
        except NotAnswered as problem:
            return Verdict(State.NOT_APPLICABLE, None, value, str(problem))
        if not self.holds(machine, value):
            return Verdict(State.DIFFERS, found, value, "read from the persistent XML")
        try:
            runs = self.holds(machine, value, Layer.LIVE)
        except KvmnbError:
            return Verdict(State.HOLDS, found, value, "read from the persistent XML; the guest is shut off")
        tail = (
            "the running guest has it" if runs else "a restart is needed: the running guest takes it at its next start"
        )
        return Verdict(State.HOLDS, found, value, f"read from the persistent XML; {tail}")

    def command(self, value: str | None) -> str:
        what = f"set {self.path} to {value!r}" if value is not None else f"remove {self.path}"
        return f"virsh edit {shell_word(self.domain)}  # {what}"

    def lasting(self, value: str | None) -> Want | None:
        return None

    def __str__(self) -> str:
        return f"domain_xml:{percent_encode(self.domain)}:{self.path}"


def value_in(document: Document, path: str) -> str | None:
    """The value at a path of a domain XML; None where it is absent."""
    return read(document, Path.parse(path), DOMAIN)


def holds_in(document: Document, path: str, value: str | None) -> bool:
    """Whether a domain XML has the value, in libvirt's spelling and beside what libvirt adds by itself."""
    return holds(document, Path.parse(path), value, DOMAIN)


def edited(text: str, values: Sequence[tuple[DomainXml, str | None]]) -> Edited:
    """A domain's XML with these values, and the steps that take just them back."""
    return edit(text, [(Path.parse(tunable.path), value) for tunable, value in values], DOMAIN)


def reverted(text: str, reversal: Reversal) -> str:
    """A domain's XML as it is now, without what ``edited`` had put in."""
    return revert(text, reversal, DOMAIN)


def define(machine: Machine, uuid: str, text: str) -> None:
    """Make an edited XML the persistent configuration of its domain, and read it back.

    libvirt drops and alters settings without a word. Raises WriteFailed where it did, and then the domain has its
    former configuration again.
    """
    try:
        before = machine.libvirt.xml(uuid, Layer.PERSISTENT)
        machine.libvirt.define(uuid, text)
        lost = altered(text, machine.libvirt.xml(uuid, Layer.PERSISTENT), DOMAIN)
        if lost:
            machine.libvirt.define(uuid, before)
    except NotAnswered as problem:
        raise WriteFailed(str(problem)) from problem
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise WriteFailed(
            f"libvirt took the XML of domain {uuid} and gave back another one: {'; '.join(lost[:3])}{more}; "
            "its former configuration was defined again"
        )


def same_value(left: str | None, right: str | None) -> bool:
    """Whether two values mean the same: sets of CPUs as sets, elements without regard to their spelling."""
    if left == right or left is None or right is None:
        return left == right
    if left.lstrip().startswith("<") and right.lstrip().startswith("<"):
        return same(left, right)
    try:
        return CpuSet.parse(left) == CpuSet.parse(right)
    except KvmnbError:
        return False
