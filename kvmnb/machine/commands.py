"""The seam to other programs: argument lists with a time limit, never a shell.

A recorded machine answers from ``commands/index.json``, which names for each argument list the file
that holds what the program printed.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.machine.files import Files

MAX_OUTPUT_BYTES = 8 * 1024**2
INDEX = "commands/index.json"
SCHEMA = "kvmnb.commands/1"

_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,80}\.(?:json|txt)")
_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program printed and left with; bytes that are not UTF-8 read as U+FFFD."""

    code: int
    stdout: str
    stderr: str


class Late(NotAnswered):
    """A program did not end in time."""


class Commands(Protocol):
    """What runs programs for one machine."""

    def run(self, argv: Sequence[str], timeout: float) -> Answer:
        """The answer of a program that only reads, within ``timeout`` seconds.

        Late where it does not end in time; NotAnswered where it is not installed, cannot be started or
        prints too much, and where a recording does not hold its answer. A program that fails has an answer
        with its code.
        """
        ...


class LocalCommands:
    """Programs of this system, each in a session of its own, without input, with a bare environment."""

    def run(self, argv: Sequence[str], timeout: float) -> Answer:
        environment = {"LC_ALL": "C", "PATH": _search_path()}
        deadline = time.monotonic() + timeout
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise NotAnswered(f"{argv[0]} is not installed") from None
        except (OSError, ValueError) as problem:
            # ValueError: a NUL or half a surrogate pair in an argument.
            raise NotAnswered(f"{argv[0]} cannot be started: {problem}") from problem
        try:
            out, err = _collect(process, deadline, argv[0], timeout)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise _late(argv[0], timeout) from None
        finally:
            _end(process)
        return Answer(code, out.decode(errors="replace"), err.decode(errors="replace"))


class RecordedCommands:
    """The answers that a recording holds."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[tuple[str, ...], _Recorded] | None = None

    def run(self, argv: Sequence[str], timeout: float) -> Answer:
        if self._known is None:
            self._known = self._index()
        found = self._known.get(tuple(argv))
        if found is None:
            raise NotAnswered(f"not recorded: this recording holds no answer of {argv[0]} to that question")
        if not _SAFE_NAME.fullmatch(found.stdout):
            raise NotAnswered(f"/{INDEX} names {found.stdout[:40]!r}, which is no file of its folder")
        try:
            raw = self._files.read_bytes(f"commands/{found.stdout}")
        except (OSError, ValueError) as problem:
            raise NotAnswered(f"the recorded answer commands/{found.stdout} cannot be read: {problem}") from problem
        return Answer(found.code, raw.decode(errors="replace"), found.stderr)

    def _index(self) -> dict[tuple[str, ...], _Recorded]:
        try:
            raw = self._files.read(INDEX)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as problem:
            raise NotAnswered(f"/{INDEX} cannot be read: {problem}") from problem
        try:
            index = codec.from_json(raw, _Index, f"/{INDEX}")
        except KvmnbError as problem:
            raise NotAnswered(str(problem)) from problem
        if index.schema != SCHEMA:
            raise NotAnswered(f"/{INDEX} has the form {index.schema[:40]!r}; this version reads {SCHEMA}")
        return {answer.argv: answer for answer in index.answers}


class RememberedCommands:
    """Asks another source each question once; what was asked is what a recording holds."""

    def __init__(self, source: Commands) -> None:
        self._source = source
        self._told: dict[tuple[str, ...], Answer | NotAnswered] = {}

    def run(self, argv: Sequence[str], timeout: float) -> Answer:
        asked = tuple(argv)
        if asked not in self._told:
            try:
                self._told[asked] = self._source.run(argv, timeout)
            except NotAnswered as problem:
                self._told[asked] = problem
        told = self._told[asked]
        if isinstance(told, NotAnswered):
            raise type(told)(str(told))
        return told

    @property
    def answers(self) -> Mapping[tuple[str, ...], Answer]:
        """The questions that were answered."""
        return {argv: told for argv, told in self._told.items() if isinstance(told, Answer)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """One line of the index: a question, and the file that holds what was printed."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """``commands/index.json``."""

    schema: str
    answers: tuple[_Recorded, ...]


def as_files(answers: Mapping[tuple[str, ...], Answer]) -> dict[str, str]:
    """The files that RecordedCommands reads, as text by path; ``qemu-img-1.json`` is its first answer."""
    lines, files = [], {}
    for number, (argv, answer) in enumerate(sorted(answers.items()), start=1):
        program = re.sub(r"[^a-z0-9-]", "-", argv[0].rpartition("/")[2].lower()).strip("-")[:40] or "program"
        name = f"{program}-{number}.{'json' if answer.stdout.lstrip().startswith(('{', '[')) else 'txt'}"
        files[f"commands/{name}"] = answer.stdout
        lines.append(_Recorded(argv=argv, code=answer.code, stdout=name, stderr=answer.stderr))
    return files | {INDEX: codec.to_json(_Index(schema=SCHEMA, answers=tuple(lines)), indent=1) + "\n"}


def _search_path() -> str:
    """The caller's PATH without relative folders, then the folders that a user's PATH leaves out."""
    given = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]
    return os.pathsep.join(dict.fromkeys([*given, "/usr/sbin", "/usr/bin", "/sbin", "/bin"]))


def _collect(process: subprocess.Popen[bytes], deadline: float, program: str, timeout: float) -> tuple[bytes, bytes]:
    """All that a program prints, until it closes both streams."""
    assert process.stdout is not None and process.stderr is not None
    parts: dict[int, list[bytes]] = {process.stdout.fileno(): [], process.stderr.fileno(): []}
    total = 0
    with selectors.DefaultSelector() as waiting:
        for descriptor in parts:
            waiting.register(descriptor, selectors.EVENT_READ)
        while waiting.get_map():
            left = deadline - time.monotonic()
            ready = waiting.select(left) if left > 0 else []
            if not ready:
                raise _late(program, timeout)
            for key, _ in ready:
                chunk = os.read(key.fd, 65_536)
                if not chunk:
                    waiting.unregister(key.fd)
                parts[key.fd].append(chunk)
                total += len(chunk)
            if total > MAX_OUTPUT_BYTES:
                raise NotAnswered(f"{program} printed more than {MAX_OUTPUT_BYTES // 1024**2} MiB and was stopped")
    out, err = (b"".join(part) for part in parts.values())
    return out, err


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program's whole group, unless it has ended, and let go of its streams."""
    if process.returncode is None:
        # Not yet reaped, so its number is still its own.
        os.killpg(process.pid, signal.SIGKILL)
        # One that hangs in the kernel (dead network storage) goes when that lets it go.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _late(program: str, timeout: float) -> Late:
    return Late(f"{program} did not end within {timeout:g} seconds and was stopped")
