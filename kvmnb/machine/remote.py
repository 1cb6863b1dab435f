"""The files of a host that is reached over ssh, for URIs such as ``qemu+ssh://root@host/system``.

The system's ``ssh`` is run once for a machine, so the user's configuration, agent and known hosts decide,
as they do for libvirt's own transport: the same program, the same host, user and port. That the daemon it
finds there is a process of that host is asked of the far kernel (SO_PEERCRED), as on this one.

Nothing is written there: changes of a remote host's settings are shown as commands.
"""

from __future__ import annotations

import errno
import json
import os
import re
import selectors
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import parse_qs, unquote, urlsplit

from kvmnb.core.errors import Refused, SourceError
from kvmnb.machine.files import Files
from kvmnb.machine.reading import BOOTSTRAP, GREETING, script

CONNECT_SECONDS = 8
"""For ssh to reach the host and agree on keys."""
START_SECONDS = 9.5
"""From the start of ssh to the reader's first word."""
ANSWER_SECONDS = 9.0
"""For one answer; after one that is late the host is not asked again."""
# A probe asks for what it found a step before: a folder, its files, where they point. Seven steps were seen.
MOST_BATCHES = 20

_MAX_PACKED = 64 * 1024**2
_MAX_UNPACKED = 512 * 1024**2
_MAX_NOISE = 65_536
_KINDS = ("read", "names", "link", "exists")


SYSTEM_SOCKETS = ("/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock")


class Unreached(SourceError):
    """ssh does not get to the host, so libvirt over ssh will not either."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom ssh connects to; None leaves it to the user's configuration."""

    host: str
    user: str | None = None
    port: int | None = None
    key_file: str | None = None
    sockets: tuple[str, ...] = SYSTEM_SOCKETS
    """Where the daemon may listen there."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """ssh and its arguments; what comes from the URI stands where ssh takes no option."""
        options = ["BatchMode=yes", f"ConnectTimeout={CONNECT_SECONDS}", "ConnectionAttempts=1"]
        options += ["ServerAliveInterval=4", "ServerAliveCountMax=2", "ClearAllForwardings=yes", "ForwardAgent=no"]
        found = ["ssh", "-T", "-x", "-e", "none"]
        for option in options:
            found += ("-o", option)
        for letter, value in (("-l", self.user), ("-p", self.port), ("-i", self.key_file)):
            if value is not None:
                found += (letter, str(value))
        return (*found, "--", self.host, BOOTSTRAP)


def is_ssh(uri: str) -> bool:
    """Whether libvirt itself reaches this URI's host with the ``ssh`` program."""
    return urlsplit(uri).scheme.partition("+")[2] == "ssh"


def target_of(uri: str) -> Target:
    """Whom a ``qemu+ssh`` URI names; SourceError where it asks for what is not done here."""
    parts = urlsplit(uri)
    query = parse_qs(parts.query, keep_blank_values=True)
    try:
        port = parts.port
    except ValueError as problem:
        raise SourceError(f"{uri}: {problem}") from problem
    host = unquote(parts.hostname or "")
    if not host or not re.fullmatch(r"[A-Za-z0-9_.:%-]{1,255}", host) or host.startswith("-"):
        raise SourceError(f"{uri}: {host[:60]!r} is no name of a host")
    user = unquote(parts.username) if parts.username else None
    if user is not None and not re.fullmatch(r"[^\s\0/:@-][^\s\0/:@]{0,63}", user):
        raise SourceError(f"{uri}: {user[:60]!r} is no name of a user")
    if "command" in query:
        raise SourceError("the URI names a program of its own in ssh's place, which is not run to read files")
    sockets = tuple(query.get("socket", SYSTEM_SOCKETS))
    return Target(host, user, port, query.get("keyfile", [None])[0], sockets)


class Reader:
    """One ssh process with the reader at its far end."""

    def __init__(self, target: Target) -> None:
        """Connect; SourceError says why the host's files cannot be read, within 10 seconds."""
        self.target = target
        self._lock = threading.Lock()
        self._buffer = bytearray()
        self._said = bytearray()
        self._dead: str | None = None
        try:
            self._process = subprocess.Popen(
                target.arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | {"LC_ALL": "C"},
                start_new_session=True,
            )
        except FileNotFoundError as problem:
            raise SourceError("ssh is not installed here, so the host's files cannot be read") from problem
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
        try:
            deadline = time.monotonic() + START_SECONDS
            self._exchange(script(), deadline, lambda: GREETING in self._buffer)
            del self._buffer[: self._buffer.index(GREETING) + len(GREETING)]
        except _Silent as problem:
            self.close()
            kind = Unreached if isinstance(problem, _Unreached | _Late) else SourceError
            raise kind(f"the files of {target.host} cannot be read over ssh: {problem}") from problem

    @property
    def pid(self) -> int:
        """The ssh process's number."""
        return self._process.pid

    def ask(self, request: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The answer to one request; OSError with ETIMEDOUT or ECONNRESET where none comes, then and ever after."""
        with self._lock:
            if self._dead is not None:
                _raise(errno.ECONNRESET, self._dead)
            deadline = time.monotonic() + ANSWER_SECONDS
            try:
                line = json.dumps(request).encode("ascii") + b"\n"
                self._exchange(line, deadline, lambda: b"\n" in self._buffer)
                length, _, _ = bytes(self._buffer[:32]).partition(b"\n")
                if not length.isdigit() or int(length) > _MAX_PACKED:
                    raise _Silent("what it sends is no answer of the reader")
                start, end = len(length) + 1, len(length) + 1 + int(length)
                self._exchange(b"", deadline, lambda: len(self._buffer) >= end)
                packed = bytes(self._buffer[start:end])
                del self._buffer[:end]
                unpacker = zlib.decompressobj()
                raw = unpacker.decompress(packed, _MAX_UNPACKED)
                answer = json.loads(raw)
                if not isinstance(answer, dict) or not unpacker.eof:
                    raise _Silent("what it sends is no answer of the reader")
                return answer
            except (_Silent, ValueError, zlib.error) as problem:
                self._dead = f"{self.target.host} over ssh: {problem}"
                self._end()
                code = errno.ETIMEDOUT if isinstance(problem, _Late) else errno.ECONNRESET
                _raise(code, self._dead)

    def close(self) -> None:
        """End ssh, and with it the reader; a second call does nothing."""
        with self._lock:
            self._dead = self._dead or f"{self.target.host}: the connection was closed"
            self._end()

    def _exchange(self, out: bytes, deadline: float, enough: Any) -> None:
        """Write all of ``out`` and read until ``enough``; _Silent where ssh ends or the time is up."""
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        pending = memoryview(out)
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            waiting.register(process.stderr, selectors.EVENT_READ)
            if pending:
                waiting.register(process.stdin, selectors.EVENT_WRITE)
            while pending or not enough():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise _Late("it did not answer in time" + self._words())
                for key, _ in waiting.select(left):
                    if key.fileobj is process.stdin:
                        try:
                            pending = pending[os.write(key.fd, pending[:65_536]) :]
                        except BlockingIOError:
                            continue
                        except OSError:
                            # ssh has gone; what it said on the way out tells why.
                            pending = pending[:0]
                        if not pending:
                            waiting.unregister(process.stdin)
                        continue
                    chunk = os.read(key.fd, 262_144)
                    if key.fileobj is process.stderr:
                        self._said = (self._said + chunk)[-_MAX_NOISE:]
                        if not chunk:
                            waiting.unregister(process.stderr)
                    elif chunk:
                        self._buffer += chunk
                        if len(self._buffer) > _MAX_PACKED + _MAX_NOISE:
                            raise _Silent("it sends without end")
                    else:
                        raise self._why_ended(deadline)

    def _why_ended(self, deadline: float) -> _Silent:
        """Why ssh ended, from its code and its last words."""
        process = self._process
        assert process.stderr
        while (left := min(deadline - time.monotonic(), 1.0)) > 0:
            with selectors.DefaultSelector() as waiting:
                waiting.register(process.stderr, selectors.EVENT_READ)
                if not waiting.select(left) or not (chunk := os.read(process.stderr.fileno(), 65_536)):
                    break
                self._said = (self._said + chunk)[-_MAX_NOISE:]
        try:
            code = process.wait(1)
        except subprocess.TimeoutExpired:
            return _Silent("the connection was closed" + self._words())
        words = self._words()
        if "host key verification" in words.lower():
            return _Unreached(f"its host key is not the one that is known, or none is known{words}")
        if code == 255:
            # ssh's own code: the host was not reached, or it let nobody in.
            return _Unreached(f"ssh did not get there{words}")
        if code == 127 or "python3" in words:
            return _Silent(f"there is no python3 that runs there{words}")
        return _Silent(f"ssh ended with code {code}{words}")

    def _words(self) -> str:
        """The last line that ssh or the far side printed, where there is one."""
        lines = [line.strip("\r @") for line in self._said.decode("utf-8", "replace").splitlines()]
        lines = [line for line in lines if line]
        return f" ({lines[-1][:200]})" if lines else ""

    def _end(self) -> None:
        process = self._process
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    # What was still to be written has nowhere to go.
                    continue
        if process.returncode is None:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class RemoteFiles(Files):
    """A remote host's files, asked for as they are now.

    Only while a probe runs are answers kept: what is not there yet is noted, and fetched in one piece
    between two passes of the probe (``batches``).
    """

    def __init__(self, reader: Reader) -> None:
        # A name that is no folder here: nothing may take this host's files for those.
        self.root = Path(f"/ssh:{reader.target.host}")
        self._prefix = str(self.root)
        self._reader = reader
        self._known: dict[tuple[str, str], Any] = {}
        self._missed: dict[tuple[str, str], None] = {}
        self._nics: tuple[str, ...] | None = None
        self._ethtool: dict[str, Any] = {}
        self._probing = False
        self._collecting = False
        self.round_trips = 0

    def batches(self) -> Iterator[None]:
        """Passes of a probe: each sees what the passes before it missed; the last one misses nothing."""
        again = tuple(self._known)
        self._forget()
        if again:
            # All that the last probe read, anew and in one piece.
            self._missed = dict.fromkeys(again)
            self._fetch()
        self._probing = self._collecting = True
        try:
            for _ in range(MOST_BATCHES):
                yield
                if not self._missed:
                    return
                self._fetch()
            # What is still missing is asked for one by one.
            self._collecting = False
            yield
        finally:
            self._probing = self._collecting = False

    def read_bytes(self, path: str) -> bytes:
        text: str = self._told("read", path)
        return text.encode("utf-8", "surrogateescape")

    def exists(self, path: str) -> bool:
        try:
            return bool(self._told("exists", path))
        except OSError:
            return False

    def link(self, path: str) -> str:
        target: str = self._told("link", path)
        return target

    def names(self, path: str) -> list[str]:
        return list(self._told("names", path))

    def writable(self, path: str) -> bool:
        return False

    def write(self, path: str, value: str) -> None:
        raise self._not_from_here(f"/{path}")

    def put(self, path: str, text: str) -> None:
        raise self._not_from_here(f"/{path}")

    def remove(self, path: str) -> None:
        raise self._not_from_here(f"/{path}")

    def set_nic(self, name: str, part: str, key: str, value: int) -> None:
        raise self._not_from_here(f"the NIC {name}")

    def set_atime(self, path: str, word: str) -> None:
        raise self._not_from_here(path)

    def _not_from_here(self, what: str) -> Refused:
        return Refused(
            f"{what} is on {self._reader.target.host}: settings of a remote host are not written from here; "
            "type the commands that the plan shows there"
        )

    def ethtool(self, names: Sequence[str]) -> Mapping[str, Any] | None:
        wanted = tuple(names)
        if wanted != self._nics or not self._probing:
            self._nics, self._ethtool = wanted, {}
            self._missed["ethtool", ""] = None
            if not self._collecting:
                self._fetch()
        if isinstance(self._ethtool.get("error"), str):
            raise SourceError(f"{self._reader.target.host}: {self._ethtool['error'][:200]}")
        return self._ethtool

    def peer_gap(self, sockets: Sequence[str]) -> str | None:
        """Why the daemon there is not proved to be a process of that host; None where it is."""
        found = self._answer({"peer": tuple(sockets)}).get("peer", {})
        pids = [found.get(path) for path in sockets]
        for path, pid in zip(sockets, pids, strict=True):
            if isinstance(pid, int):
                return None if pid > 0 else f"the process behind {path} there is not one of that system's"
        return "the daemon's socket was not found there, so it may be another host's"

    def close(self) -> None:
        self._reader.close()

    def _told(self, kind: str, path: str) -> Any:
        if path.startswith("/") or "\0" in path or ".." in path.split("/"):
            raise Refused(f"{path!r} is not a path inside a machine's tree")
        key = (kind, path)
        if key not in self._known or not self._probing:
            self._missed[key] = None
            if self._collecting:
                _raise(errno.EAGAIN, "not fetched yet")
            self._fetch()
        told = self._known[key]
        if isinstance(told, dict):
            code = told.get("error", errno.EIO)
            if code == errno.EFBIG:
                raise ValueError("the file is larger than 4 MiB")
            raise OSError(code, os.strerror(code), f"/{path}")
        if isinstance(told, OSError):
            raise OSError(told.errno, told.strerror)
        return told

    def _fetch(self) -> None:
        """Ask for all that was missed; where no answer comes, that is the answer to all of it."""
        missed, self._missed = tuple(self._missed), {}
        request: dict[str, Sequence[str]] = {kind: [path for one, path in missed if one == kind] for kind in _KINDS}
        if ("ethtool", "") in missed:
            request["ethtool"] = self._nics or ()
        try:
            answer = self._answer({kind: paths for kind, paths in request.items() if paths})
        except OSError as problem:
            self._known.update(dict.fromkeys((key for key in missed if key[0] in _KINDS), problem))
            self._ethtool = {"error": problem.strerror}
            return
        lost = {"error": errno.EIO}
        for kind, path in missed:
            if kind in _KINDS:
                told = answer.get(kind)
                self._known[kind, path] = _checked(kind, told.get(path, lost) if isinstance(told, dict) else lost)
        if "ethtool" in request:
            told = answer.get("ethtool")
            self._ethtool = told if isinstance(told, dict) else {"error": "no answer"}

    def _answer(self, request: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        self.round_trips += 1
        return self._reader.ask(request)

    def _forget(self) -> None:
        self._known.clear()
        self._missed.clear()
        self._nics, self._ethtool = None, {}

    def _locate(self, path: str) -> str:
        raise Refused(f"/{path} is on {self._reader.target.host}, not on this system")


def _checked(kind: str, told: Any) -> Any:
    """A value of the kind that was asked for, else an error: the far side is not trusted."""
    if isinstance(told, dict):
        code = told.get("error")
        return {"error": code if isinstance(code, int) and 0 < code < 4096 else errno.EIO}
    if kind == "names":
        plain = isinstance(told, list) and all(isinstance(one, str) and one and "/" not in one for one in told)
        return sorted(cast(list[str], told)) if plain else {"error": errno.EIO}
    wanted = bool if kind == "exists" else str
    return told if isinstance(told, wanted) else {"error": errno.EIO}


class _Silent(Exception):
    """The far side does not answer; the text says why."""


class _Unreached(_Silent):
    """ssh itself failed."""


class _Late(_Silent):
    """It did not answer in time."""


def _raise(code: int, why: str) -> NoReturn:
    raise OSError(code, why)
