"""Domains given as XML texts, in the place of a machine's own."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import DomainGone, NotAnswered, Refused, XmlError
from kvmnb.core.xml import Document
from kvmnb.machine.hypervisor import DomainRecord, DomainState, Ended, Hypervisor, Layer, Pins, Thread, Versions
from kvmnb.machine.live import LiveCalls

# For texts without a UUID of their own; any fixed namespace serves.
_NAMESPACE = uuids.UUID("6b766d6e-6200-4000-8000-000000000000")


class GivenDomains:
    """A hypervisor whose shut-off domains are these texts; all else is asked of ``behind``, if there is one."""

    def __init__(self, texts: Mapping[str, str], behind: Hypervisor | None) -> None:
        """``texts`` by the name of their source; XmlError where one is no domain XML."""
        self.uri = behind.uri if behind is not None else "given"
        self._behind = behind
        self._texts: dict[str, str] = {}
        self._records: list[DomainRecord] = []
        for source, text in texts.items():
            try:
                root = Document.parse(text).root
            except XmlError as problem:
                raise XmlError(f"{source}: {problem}") from problem
            if root.name != "domain":
                raise XmlError(f"{source}: the XML is a <{root.name[:40]}>, not a libvirt <domain>")
            said = {child.name: child.text.strip() for child in reversed(root.children)}
            written = said.get("uuid", "").lower()
            uuid = written if _is_uuid(written) and written not in self._texts else str(uuids.uuid5(_NAMESPACE, source))
            self._texts[uuid] = text
            self._records.append(DomainRecord(uuid, said.get("name") or source, running=False, persistent=True))

    def versions(self) -> Versions:
        return self._asked.versions()

    def capabilities(self) -> str:
        return self._asked.capabilities()

    def domain_capabilities(self, virt_type: str, arch: str, machine: str, emulator: str | None) -> str:
        return self._asked.domain_capabilities(virt_type, arch, machine, emulator)

    def domains(self) -> tuple[DomainRecord, ...]:
        return tuple(self._records)

    def states(self) -> Mapping[str, DomainState]:
        raise NotAnswered("libvirt keeps no state of a domain that was given as a file")

    def disk_counters(self) -> Mapping[tuple[str, str], tuple[float, ...]]:
        raise NotAnswered("a domain given as a file does not run")

    def guest_counters(self) -> Mapping[str, Mapping[str, float]]:
        raise NotAnswered("a domain given as a file does not run")

    def guest_system(self, uuid: str, seconds: float) -> Mapping[str, object]:
        raise NotAnswered("a domain given as a file does not run")

    def run_inside(self, uuid: str, program: str, arguments: tuple[str, ...], seconds: float) -> Ended:
        raise NotAnswered("a domain given as a file does not run")

    def xml(self, uuid: str, layer: Layer) -> str:
        if uuid not in self._texts:
            raise DomainGone(f"no domain with UUID {uuid} was given")
        if layer is Layer.LIVE:
            raise NotAnswered("a domain given as a file does not run")
        return self._texts[uuid]

    def native(self, xml: str) -> str:
        return self._asked.native(xml)

    def define(self, uuid: str, xml: str) -> None:
        raise Refused("a domain given as a file is not defined anywhere; write the edited XML with --out-xml")

    def pins(self, uuid: str) -> Pins:
        raise NotAnswered("a domain given as a file does not run")

    def pin(self, uuid: str, thread: Thread, number: int, cpus: CpuSet) -> None:
        raise NotAnswered("a domain given as a file does not run")

    @property
    def live(self) -> LiveCalls:
        """None: a file does not run."""
        raise NotAnswered("a domain given as a file does not run")

    def close(self) -> None:
        if self._behind is not None:
            self._behind.close()

    @property
    def _asked(self) -> Hypervisor:
        if self._behind is None:
            raise NotAnswered("there is no libvirt behind this tree to ask")
        return self._behind


def _is_uuid(text: str) -> bool:
    try:
        return str(uuids.UUID(text)) == text
    except ValueError:
        return False
