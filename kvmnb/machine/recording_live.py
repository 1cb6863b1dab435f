"""Live calls on a recording: its live XML answers what it holds, and a scratch copy's live XML takes changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kvmnb.core.errors import KvmnbError, NotAnswered, Refused
from kvmnb.core.xml import Document, edit, read
from kvmnb.core.xml import Path as XmlPath
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.live import Call, Setting


class RecordedLive:
    """What a live XML tells; every change is refused."""

    def __init__(self, uri: str, text: Callable[[str], str]) -> None:
        self.uri = uri
        self._text = text

    def setting(self, uuid: str, setting: Setting) -> str:
        document = Document.parse(self._text(uuid))
        found = read(document, XmlPath.parse(setting.path), DOMAIN)
        value = setting.absent if found is None else found
        if value is None and setting.call is Call.VCPUS:
            # All vCPUs are in use where the XML does not say how many are.
            value = read(document, XmlPath.parse("vcpu/text()"), DOMAIN)
        if value is None:
            raise NotAnswered(f"the live XML of domain {uuid} in {self.uri} has no {setting.path}")
        return value

    def set_setting(self, uuid: str, setting: Setting, value: str) -> None:
        raise self._refused()

    def iothreads(self, uuid: str) -> Mapping[int, Mapping[str, int]]:
        raise NotAnswered(f"{self.uri} has no QEMU to ask for its iothreads")

    def add_iothread(self, uuid: str, number: int) -> None:
        raise self._refused()

    def remove_iothread(self, uuid: str, number: int) -> None:
        raise self._refused()

    def set_iothread(self, uuid: str, number: int, name: str, value: int) -> None:
        raise self._refused()

    def update_device(self, uuid: str, path: str, xml: str) -> None:
        raise self._refused()

    def _refused(self) -> KvmnbError:
        return Refused(f"{self.uri} is a recording and takes no writes; use a scratch copy of it")


class ScratchLive(RecordedLive):
    """A copy's live XML, which keeps what is set; what needs a QEMU is not answered."""

    def __init__(self, uri: str, text: Callable[[str], str], replace: Callable[[str, str], None]) -> None:
        super().__init__(uri, text)
        self._replace = replace

    def set_setting(self, uuid: str, setting: Setting, value: str) -> None:
        self._replace(uuid, edit(self._text(uuid), [(XmlPath.parse(setting.path), value)], DOMAIN).text)

    def update_device(self, uuid: str, path: str, xml: str) -> None:
        text = self._text(uuid)
        before = read(Document.parse(text), XmlPath.parse(path), DOMAIN)
        if before is None:
            raise KvmnbError(f"updating {path} of domain {uuid}: the running guest has no such device")
        self._replace(uuid, text.replace(before, xml, 1))

    def _refused(self) -> KvmnbError:
        return NotAnswered(f"{self.uri} is a copy of a recording and has no QEMU that could do this")
