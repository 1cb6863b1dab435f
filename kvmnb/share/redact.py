"""A capture as the files of a recording, by an allow-list: what may tell of somebody is replaced or left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError
from kvmnb.machine.commands import Answer, as_files
from kvmnb.machine.hypervisor import Layer
from kvmnb.probe.counters import Reading
from kvmnb.probe.window import PATH, as_window
from kvmnb.share import texts
from kvmnb.share.capture import Capture, parents
from kvmnb.share.places import match, part_kind
from kvmnb.share.pseudonyms import Pseudonyms
from kvmnb.share.scrub import Scrub
from kvmnb.share.scrub_xml import scrub_xml
from kvmnb.share.vocabulary import all_known

SCRUBBED = "scrubbed"
"""In ``dropped.json``: the file was there and is left out, since nobody knows that it tells nothing."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A recording's files as texts by path, its empty folders, and what was left out, with why."""

    texts: Mapping[str, str]
    folders: frozenset[str]
    dropped: Mapping[str, str]


def redact(found: Capture, made: Pseudonyms) -> Tree:
    """The files of a recording; ``made`` keeps each original that may not be in them."""
    return _Redaction(found, made).tree()


class _Redaction:
    def __init__(self, found: Capture, made: Pseudonyms) -> None:
        self.found = found
        self.scrub = Scrub(made)
        self.texts: dict[str, str] = {}
        self.folders: set[str] = set()
        self.dropped: dict[str, str] = {}

    def tree(self) -> Tree:
        """All files."""
        found = self.found
        self._libvirt()
        above = parents([*found.texts, *found.folders])
        for path, raw in sorted(found.texts.items()):
            # What a recording holds of its guests comes from the survey.
            if not path.startswith("libvirt/"):
                self._file(path, raw)
        for path, target in sorted(found.links.items()):
            # Where a probe goes through a link it stands as the folder that it leads to.
            if path not in above and path not in found.folders:
                self._file(path, target.encode("utf-8", "surrogateescape"), link=True)
        for path in sorted(found.there - found.texts.keys() - found.links.keys() - above - found.folders.keys()):
            if match(path)[0] is not None:
                self._put(self._out(path), "")
        self._ethtool()
        self._answers()
        self._window()
        self._listed(above)
        for path, why in found.unread.items():
            if path not in found.texts:
                self.dropped[self._out(path)] = why
        inside = parents([*self.texts, *self.folders])
        return Tree(
            {path: text for path, text in self.texts.items() if path not in inside},
            frozenset(self.folders - inside),
            {path: why for path, why in self.dropped.items() if path not in self.texts},
        )

    def _file(self, path: str, raw: bytes, *, link: bool = False) -> None:
        kind, _ = match(path)
        out = self._out(path)
        if kind is None and link:
            kind = "link"
        if kind is None:
            self._leave_out(path, out, raw)
            return
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.dropped[out] = "EILSEQ"
            return
        done = getattr(texts, kind)(self.scrub, text, path)
        if done is None:
            self._leave_out(path, out, b"")
        else:
            self._put(out, done)

    def _leave_out(self, path: str, out: str, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace")
        if len(text) < 4096:
            for name in _NAME_SHAPED.findall(text):
                self.scrub.made.drop(name, path)
        if not path.startswith("proc/") or not path.split("/")[1].isdecimal():
            self.dropped[out] = SCRUBBED

    def _listed(self, above: set[str]) -> None:
        """The names of listed folders: as they came out already, else as an empty file or folder."""
        found = self.found
        known = found.texts.keys() | found.links.keys() | found.folders.keys() | above | found.unread.keys()
        for folder, names in sorted(found.folders.items()):
            out = self._out(folder)
            self.folders.add(out)
            for name in names:
                path = f"{folder}/{name}"
                if path in known or not self._may_list(path):
                    continue
                done = self._out(path)
                if path in found.inner_folders:
                    self.folders.add(done)
                elif done not in self.texts:
                    self.texts[done] = ""

    def _may_list(self, path: str) -> bool:
        kind = part_kind(tuple(path.split("/")))
        return kind != "" or (path.startswith(("sys/", "proc/sys/")) and all_known(path.rpartition("/")[2]))

    def _put(self, path: str, text: str) -> None:
        self.texts[path] = text

    def _out(self, path: str) -> str:
        return place_of(self.scrub, path)

    def _ethtool(self) -> None:
        for name, answer in self.found.ethtool.items():
            path = f"ethtool/{name}.json"
            self._put(self._out(path), texts.json_text(self.scrub, codec.to_json(answer), path) or "{}")

    def _answers(self) -> None:
        """What programs printed, under their arguments as these are in the recording."""
        answers = {}
        for argv, answer in self.found.answers.items():
            field = f"commands/{argv[0]}"
            arguments = tuple(self.scrub.path(one, field) if one.startswith("/") else one for one in argv)
            printed = answer.stdout
            if re.fullmatch(r"[0-9a-f\s]*", printed):
                done: str | None = printed
            elif printed.lstrip().startswith(("{", "[")):
                done = texts.json_text(self.scrub, printed, field)
            else:
                done = self.scrub.plain(printed, field)
            self.scrub.made.drop(answer.stderr, field)
            answers[arguments] = Answer(answer.code, done or "", "")
        if answers:
            self.texts.update(as_files(answers))

    def _memory(self, uuid: str) -> str | None:
        """Where a guest's memory lies: numbers, and the kernel's words for policies."""
        for domain in self.found.survey.domains:
            if domain.uuid == uuid and domain.gap_of("memory") is None and domain.memory is not None:
                return codec.to_json(domain.memory) + "\n" if not domain.memory.gaps() else None
        return None

    def _window(self) -> None:
        """The counters of a window; names in them as everywhere else."""
        if self.found.window is None:
            return
        before, after = (self._reading(one) for one in self.found.window)
        self._put(PATH, codec.to_json(as_window(before, after)) + "\n")

    def _reading(self, reading: Reading) -> Reading:
        counters = {self._counter(key): values for key, values in reading.counters.items()}
        return Reading(reading.at, counters, dict.fromkeys(reading.unread, "not readable when it was recorded"))

    def _counter(self, key: tuple[str, ...]) -> tuple[str, ...]:
        kind, *rest = key
        if kind in ("block", "nic", "lost"):
            return (kind, self.scrub.name(rest[0], f"window/{kind}"))
        if kind == "disk":
            return (kind, self.scrub.made.uuid(rest[0], "domain/uuid"), self.scrub.name(rest[1], "window/disk"))
        if kind in ("quota", "polling", "swap", "usable"):
            return (kind, self.scrub.made.uuid(rest[0], "domain/uuid"), *rest[1:])
        if kind == "idle":
            # The kernel's own word (C1E, POLL), made of letters and digits.
            return (kind, rest[0], rest[1] if re.fullmatch(r"[A-Z][\w-]{0,15}", rest[1]) else "other")
        if kind in ("vcpu", "emulator", "iothread", "vhost"):
            guest = self.scrub.made.uuid(rest[0], "domain/uuid"), self.scrub.made.name(rest[1], "domain/name")
            return (kind, *guest, rest[2])
        return key

    def _libvirt(self) -> None:
        found = self.found
        if found.versions is not None:
            self._put("libvirt/version.json", codec.to_json(found.versions) + "\n")
        if found.capabilities is not None:
            self._put("libvirt/capabilities.xml", scrub_xml(found.capabilities, self.scrub))
        for number, text in enumerate(found.domain_capabilities.values()):
            self._put(f"libvirt/domcaps/{number}.xml", scrub_xml(text, self.scrub))
        running = {record.uuid: record for record in found.domains}
        for (uuid, layer), text in found.xml.items():
            folder = f"libvirt/domains/{self.scrub.made.uuid(uuid, 'domain/uuid')}"
            name = "inactive.xml" if layer is Layer.PERSISTENT else "live.xml"
            try:
                self._put(f"{folder}/{name}", scrub_xml(text, self.scrub))
            except KvmnbError:
                self.dropped[f"{folder}/{name}"] = SCRUBBED
            if layer is Layer.LIVE and (memory := self._memory(uuid)) is not None:
                self._put(f"{folder}/memory.json", memory)
            record = running.get(uuid)
            if record is not None:
                state = {"state": "running" if record.running else "shutoff", "persistent": record.persistent}
                self._put(f"{folder}/state.json", codec.to_json(state) + "\n")


def place_of(scrub: Scrub, path: str) -> str:
    """A file's path without what it tells of somebody: names in it that somebody chose are replaced."""
    parts = path.split("/")
    _, pattern = match(path)
    done = []
    for position, part in enumerate(parts):
        kind = pattern[position] if pattern else part_kind(tuple(parts[: position + 1]))
        done.append(_part(scrub, part, kind, path))
    return "/".join(done)


def _part(scrub: Scrub, part: str, kind: str, path: str) -> str:
    if kind in ("+", "#", "%") or kind == part:
        return part
    if kind == "~":
        return scrub.group(part, path)
    if kind == "literal" or (kind == "" and all_known(part)):
        return part
    if kind == "@":
        number, stem, ending = re.fullmatch(r"(\d*-?)(.*?)(\.[a-z]+)", part).groups()  # type: ignore[union-attr]
        return part if all_known(stem) else f"{number}{scrub.made.name(stem, path)}{ending}"
    start, star, end = kind.partition("*")
    if star and part.startswith(start) and part.endswith(end):
        middle = part[len(start) : len(part) - len(end)]
        return f"{start}{scrub.name(middle, path)}{end}"
    return scrub.name(part, path)


# Of a file that nobody knows, only what looks like an identifier is sought elsewhere.
_NAME_SHAPED = re.compile(
    r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[\w.+-]+@[\w.-]+\.\w+"
)
