"""Everything that probing a machine reads, gathered while it reads it.

There is no list of files here: whatever a probe asks for is captured, so a new probe needs no new recorder.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kvmnb.core.errors import KvmnbError
from kvmnb.machine.commands import Answer, RememberedCommands
from kvmnb.machine.files import Files
from kvmnb.machine.hypervisor import DomainRecord, Hypervisor, Layer, Versions
from kvmnb.machine.machine import Machine
from kvmnb.probe.closer import with_images, with_memory
from kvmnb.probe.counters import Reading
from kvmnb.probe.load import read_window, recorded_window
from kvmnb.probe.survey import Survey, probe


@dataclass(slots=True)
class Capture:
    """What was read: texts and links by path, folders with their names, and what could not be read."""

    survey: Survey
    texts: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    """Paths that were only asked for, and are there."""
    unread: dict[str, str] = field(default_factory=dict)
    """Paths that are there and could not be read, with the kernel's word for why, such as EACCES."""
    inner_folders: set[str] = field(default_factory=set)
    """Names in listed folders that are folders themselves."""
    versions: Versions | None = None
    capabilities: str | None = None
    domain_capabilities: dict[tuple[str, str, str], str] = field(default_factory=dict)
    domains: tuple[DomainRecord, ...] = ()
    xml: dict[tuple[str, Layer], str] = field(default_factory=dict)
    ethtool: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[tuple[str, ...], Answer] = field(default_factory=dict)
    """What programs printed, by their arguments; see ``kvmnb.machine.commands``."""
    window: tuple[Reading, Reading] | None = None
    """The counters at both ends of a window."""


class ReadFiles(Files):
    """The files of another machine, which notes what is asked of them."""

    def __init__(self, files: Files, into: Capture) -> None:
        self.root = files.root
        self._prefix = files._prefix
        self._files = files
        self._into = into

    def read_bytes(self, path: str) -> bytes:
        try:
            raw = self._files.read_bytes(path)
        except OSError as problem:
            self._note(path, problem)
            raise
        except ValueError:
            self._into.unread[path] = "EFBIG"
            raise
        self._into.texts[path] = raw
        return raw

    def exists(self, path: str) -> bool:
        found = self._files.exists(path)
        if found:
            self._into.there.add(path)
        return found

    def link(self, path: str) -> str:
        try:
            target = self._files.link(path)
        except OSError as problem:
            # EINVAL: what stands there is no link.
            if problem.errno != errno.EINVAL:
                self._note(path, problem)
            raise
        self._into.links[path] = target
        return target

    def names(self, path: str) -> list[str]:
        try:
            names = self._files.names(path)
        except OSError as problem:
            self._note(path, problem)
            raise
        self._into.folders[path] = tuple(names)
        return names

    def ethtool(self, names: Sequence[str]) -> Mapping[str, Any] | None:
        answers = self._files.ethtool(names)
        if answers is not None:
            self._into.ethtool = answers
        return answers

    def batches(self) -> Iterator[None]:
        for _ in self._files.batches():
            # A pass over a remote host begins with gaps that the next one fills.
            for noted in (self._into.texts, self._into.links, self._into.folders, self._into.unread):
                noted.clear()
            self._into.there.clear()
            yield

    def close(self) -> None:
        self._files.close()

    def writable(self, path: str) -> bool:
        return self._files.writable(path)

    def write(self, path: str, value: str) -> None:
        self._files.write(path, value)

    def _note(self, path: str, problem: OSError) -> None:
        if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
            self._into.unread[path] = errno.errorcode.get(problem.errno or 0, "EIO")


class AskedHypervisor:
    """Another machine's hypervisor, which notes what it answers."""

    def __init__(self, hypervisor: Hypervisor, into: Capture) -> None:
        self.uri = hypervisor.uri
        self._hypervisor = hypervisor
        self._into = into

    def versions(self) -> Versions:
        self._into.versions = self._hypervisor.versions()
        return self._into.versions

    def capabilities(self) -> str:
        self._into.capabilities = self._hypervisor.capabilities()
        return self._into.capabilities

    def domain_capabilities(self, virt_type: str, arch: str, machine: str, emulator: str | None) -> str:
        text = self._hypervisor.domain_capabilities(virt_type, arch, machine, emulator)
        self._into.domain_capabilities[virt_type, arch, machine] = text
        return text

    def domains(self) -> tuple[DomainRecord, ...]:
        self._into.domains = self._hypervisor.domains()
        return self._into.domains

    def xml(self, uuid: str, layer: Layer) -> str:
        text = self._hypervisor.xml(uuid, layer)
        self._into.xml[uuid, layer] = text
        return text

    def __getattr__(self, name: str) -> Any:
        """Whatever else a probe asks is passed on and is not part of a recording."""
        return getattr(self._hypervisor, name)


def capture(machine: Machine, window: float | None = None) -> Capture:
    """Probe a machine and keep all that was read, and with ``window`` the counters at both of its ends."""
    found = Capture(Survey.__new__(Survey))
    seen = replace(
        machine,
        hypervisor=AskedHypervisor(machine.hypervisor, found) if machine.hypervisor is not None else None,
        files=ReadFiles(machine.files, found) if machine.files is not None else None,
    )
    remembered = RememberedCommands(machine.commands) if machine.commands is not None else None
    seen.commands = remembered
    found.survey = with_memory(with_images(probe(seen), seen), seen)
    found.window = recorded_window(machine)
    if window is not None and found.window is None:
        found.window = read_window(machine, window)
    if remembered is not None:
        found.answers = remembered.answers
    if machine.files is not None:
        found.inner_folders = _inner_folders(machine.files, found)
    return found


def _inner_folders(files: Files, found: Capture) -> set[str]:
    """Which of the listed names are folders, as far as the tree is this system's."""
    inner = set()
    for folder, names in found.folders.items():
        for name in names:
            path = f"{folder}/{name}"
            if path not in found.texts and path not in found.folders and path not in found.links:
                try:
                    if os.path.isdir(files._locate(path)):
                        inner.add(path)
                except (OSError, KvmnbError):
                    continue
    return inner


def parents(paths: Sequence[str]) -> set[str]:
    """Every folder above these paths."""
    found = set()
    for path in paths:
        while "/" in path:
            path = path.rpartition("/")[0]
            found.add(path)
    return found
