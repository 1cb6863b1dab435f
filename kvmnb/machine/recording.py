"""The libvirt side of a recorded host: files that were libvirt's answers.

Layout below the folder ``libvirt``: ``version.json``, ``capabilities.xml``, ``domcaps/*.xml`` and
``domains/<uuid>/{inactive.xml,live.xml,state.json}``. These texts are the truth of the recording; what
they cannot answer is not answered.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any

from kvmnb.core import codec
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import DomainGone, KvmnbError, NotAnswered, Refused, SourceError
from kvmnb.core.xml import Document, edit
from kvmnb.core.xml import Path as XmlPath
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.hypervisor import DomainRecord, DomainState, Ended, Layer, Pins, Thread, Versions
from kvmnb.machine.judge import judge_domain
from kvmnb.machine.recording_live import RecordedLive, ScratchLive

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
_FILE_OF = {Layer.PERSISTENT: "inactive.xml", Layer.LIVE: "live.xml"}
# A field of DomainState, its key in state.json, and what stands there.
_STATE_FIELDS: tuple[tuple[str, str, tuple[type, ...]], ...] = (
    ("name", "state", (str,)),
    ("reason", "reason", (str, NoneType)),
    ("autostart", "autostart", (bool,)),
    ("managed_save", "managed_save", (bool,)),
    ("snapshots", "snapshots", (int,)),
    ("job", "job", (str, NoneType)),
    ("updated", "updated", (bool,)),
)


class RecordedHypervisor:
    """libvirt's recorded answers; every change is refused."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.uri = uri
        self._folder = folder

    def versions(self) -> Versions:
        return codec.from_json(self._text("version.json"), Versions, f"{self._folder}/version.json")

    def capabilities(self) -> str:
        return self._text("capabilities.xml")

    def domain_capabilities(self, virt_type: str, arch: str, machine: str, emulator: str | None) -> str:
        folder = self._folder / "domcaps"
        names = sorted(os.listdir(folder)) if folder.is_dir() else []
        texts = [self._text(f"domcaps/{name}") for name in names if name.endswith(".xml")]
        alike: list[str] = []
        for text in texts:
            said = _asked_of(text)
            if (said.get("domain"), said.get("arch")) != (virt_type, arch):
                continue
            if said.get("machine") == machine:
                return text
            if _family(said.get("machine", "")) == _family(machine):
                alike.append(text)
        if alike:
            return alike[0]
        raise NotAnswered(
            f"the recording {self.uri} holds no domain capabilities for a {virt_type} guest of type {machine}"
        )

    def domains(self) -> tuple[DomainRecord, ...]:
        records = []
        for uuid in self._uuids():
            folder = self._folder / "domains" / uuid
            running = (folder / "live.xml").is_file()
            persistent = (folder / "inactive.xml").is_file()
            if running or persistent:
                name = self._name(uuid, Layer.PERSISTENT if persistent else Layer.LIVE)
                records.append(DomainRecord(uuid, name, running, persistent))
        return tuple(sorted(records, key=lambda record: record.name))

    def states(self) -> Mapping[str, DomainState]:
        return {uuid: self._state(uuid) for uuid in self._uuids()}

    def disk_counters(self) -> Mapping[tuple[str, str], tuple[float, ...]]:
        raise NotAnswered("a recording's counters stand still")

    def guest_counters(self) -> Mapping[str, Mapping[str, float]]:
        raise NotAnswered("a recording's counters stand still")

    def guest_system(self, uuid: str, seconds: float) -> Mapping[str, object]:
        raise NotAnswered("a recording has no guest agent to ask")

    def run_inside(self, uuid: str, program: str, arguments: tuple[str, ...], seconds: float) -> Ended:
        raise NotAnswered("a recording has no guest to run a program in")

    def xml(self, uuid: str, layer: Layer) -> str:
        self._known(uuid)
        path = f"domains/{uuid}/{_FILE_OF[layer]}"
        if not (self._folder / path).is_file():
            raise NotAnswered(f"domain {uuid} has no {layer.value} configuration in {self.uri}")
        return self._text(path)

    def native(self, xml: str) -> str:
        raise NotAnswered("a recording holds no driver that could build QEMU's command line")

    def define(self, uuid: str, xml: str) -> None:
        raise Refused(f"{self.uri} is a recording and takes no writes; use a scratch copy of it")

    def pins(self, uuid: str) -> Pins:
        root = Document.parse(self.xml(uuid, Layer.LIVE)).root
        everywhere = self._online()
        by_name = {child.name: child for child in root.children}
        vcpu = by_name.get("vcpu")
        count = int(vcpu.text) if vcpu is not None and vcpu.text.strip().isdigit() else 0
        default = (
            CpuSet.parse(vcpu.attributes["cpuset"]) if vcpu is not None and "cpuset" in vcpu.attributes else everywhere
        )
        tuned = by_name["cputune"].children if "cputune" in by_name else ()
        vcpus = dict.fromkeys(range(count), default)
        emulator = default
        iothread_count = by_name["iothreads"].text.strip() if "iothreads" in by_name else "0"
        iothreads = dict.fromkeys(range(1, int(iothread_count) + 1), default) if iothread_count.isdigit() else {}
        for pin in tuned:
            if "cpuset" not in pin.attributes:
                continue
            cpus = CpuSet.parse(pin.attributes["cpuset"])
            if pin.name == "vcpupin" and int(pin.attributes["vcpu"]) in vcpus:
                vcpus[int(pin.attributes["vcpu"])] = cpus
            elif pin.name == "emulatorpin":
                emulator = cpus
            elif pin.name == "iothreadpin":
                iothreads[int(pin.attributes["iothread"])] = cpus
        return Pins(vcpus, emulator, iothreads)

    def pin(self, uuid: str, thread: Thread, number: int, cpus: CpuSet) -> None:
        raise Refused(f"{self.uri} is a recording and takes no writes; use a scratch copy of it")

    @property
    def live(self) -> RecordedLive:
        """The live calls that a live XML can answer."""
        return RecordedLive(self.uri, lambda uuid: self.xml(uuid, Layer.LIVE))

    def close(self) -> None:
        """Nothing is held open."""

    def _uuids(self) -> list[str]:
        folder = self._folder / "domains"
        return sorted(name for name in os.listdir(folder) if _UUID.match(name)) if folder.is_dir() else []

    def _name(self, uuid: str, layer: Layer) -> str:
        """The domain's name; its UUID where the text is broken, so that one text hides no other domain."""
        try:
            return _name_in(self.xml(uuid, layer))
        except KvmnbError:
            return uuid

    def _state(self, uuid: str) -> DomainState:
        """What ``state.json`` holds; other keys are left alone, since later versions may record more."""
        path = self._folder / "domains" / uuid / "state.json"
        try:
            text = self._text(f"domains/{uuid}/state.json") if path.is_file() else "{}"
            told = codec.from_json(text, dict[str, Any], str(path))
        except KvmnbError as problem:
            names = [name for name, _, _ in _STATE_FIELDS]
            return DomainState(**dict.fromkeys(names), untold=dict.fromkeys(names, str(problem)))
        if told.get("state") != "paused":
            told.setdefault("reason", None)
        if told.get("state") == "shutoff":
            # Only what runs has a job, or differs from its start.
            told = {"job": None, "updated": False} | told
        untold = {name: "not recorded" for name, key, kind in _STATE_FIELDS if not isinstance(told.get(key, ...), kind)}
        found = {name: None if name in untold else told[key] for name, key, _ in _STATE_FIELDS}
        return DomainState(**found, untold=untold)

    def _online(self) -> CpuSet:
        return _online_in(self.capabilities())

    def _known(self, uuid: str) -> None:
        if not _UUID.match(uuid) or not (self._folder / "domains" / uuid).is_dir():
            raise DomainGone(f"no domain with UUID {uuid} is known to {self.uri} any more")

    def _text(self, path: str) -> str:
        try:
            return (self._folder / path).read_bytes().decode()
        except (OSError, UnicodeDecodeError) as problem:
            raise SourceError(f"the recording {self.uri} cannot be read: libvirt/{path}: {problem}") from problem


class ScratchHypervisor(RecordedHypervisor):
    """A recording's copy that takes writes: the texts are replaced after libvirt's own judges agreed."""

    def define(self, uuid: str, xml: str) -> None:
        before = Document.parse(self.xml(uuid, Layer.PERSISTENT)).root
        after = Document.parse(xml).root
        for name in ("name", "uuid"):
            texts = [next((c.text.strip() for c in root.children if c.name == name), None) for root in (before, after)]
            if texts[0] != texts[1]:
                raise KvmnbError(
                    f"defining domain {uuid}: the edited XML changes <{name}> from {texts[0]!r} to {texts[1]!r}"
                )
        judge_domain(xml)
        self._replace(f"domains/{uuid}/{_FILE_OF[Layer.PERSISTENT]}", xml)

    def pin(self, uuid: str, thread: Thread, number: int, cpus: CpuSet) -> None:
        pins = self.pins(uuid)
        numbers = {Thread.VCPU: pins.vcpus, Thread.IOTHREAD: pins.iothreads, Thread.EMULATOR: {number: cpus}}[thread]
        if number not in numbers:
            raise KvmnbError(f"pinning {thread.value} {number} of domain {uuid}: the running guest has no such thread")
        if not cpus or not cpus.issubset(self._online()):
            raise KvmnbError(f"pinning {thread.value} {number} of domain {uuid}: CPUs {cpus} are not all online")
        step = thread.value if thread is Thread.EMULATOR else f"{thread.value}[{number}]"
        path = XmlPath.parse(f"cputune/{step}/@cpuset")
        text = edit(self.xml(uuid, Layer.LIVE), [(path, str(cpus))], DOMAIN).text
        self._replace(f"domains/{uuid}/{_FILE_OF[Layer.LIVE]}", text)

    @property
    def live(self) -> ScratchLive:
        """The live calls that a live XML can answer and keep."""
        return ScratchLive(
            self.uri,
            lambda uuid: self.xml(uuid, Layer.LIVE),
            lambda uuid, text: self._replace(f"domains/{uuid}/{_FILE_OF[Layer.LIVE]}", text),
        )

    def _replace(self, path: str, text: str) -> None:
        """Put the text in place as one step, so that a kill leaves the old or the new one."""
        target = self._folder / path
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)


@lru_cache(maxsize=64)
def _asked_of(text: str) -> Mapping[str, str]:
    """Which guests a text of domain capabilities is about: its type, architecture and machine."""
    return {child.name: child.text.strip() for child in Document.parse(text).root.children}


# The domains are listed before each step of a plan, and the CPUs asked for each guest: the texts seldom change.
@lru_cache(maxsize=256)
def _name_in(text: str) -> str:
    """The name in a domain's text."""
    root = Document.parse(text).root
    return next((child.text.strip() for child in root.children if child.name == "name"), "")


@lru_cache(maxsize=4)
def _online_in(text: str) -> CpuSet:
    """The CPUs in use by the host's capabilities; a CPU that is switched off has no socket there."""
    return CpuSet(
        int(cpu.attributes["id"])
        for cpu in Document.parse(text).root.walk()
        if cpu.name == "cpu" and "socket_id" in cpu.attributes
    )


def _family(machine: str) -> str:
    """The machine type without its version: ``pc-q35-7.2`` and ``q35`` are both ``q35``."""
    name = re.sub(r"-\d+\.\d+$|-rhel.*$", "", machine)
    return {"pc-q35": "q35", "pc-i440fx": "pc"}.get(name, name)
