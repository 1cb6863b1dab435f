"""The journal of one plan: what is about to be written, what was, and how to take it back.

One file a plan, append-only, one JSON record a line. Each record is on disk before the deed that it
announces, and carries the hash of the record before it, so that a changed or lost line is found.
Records hold values as they are (mode 0600, folder 0700); what is shown of them is masked.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.core.xml import Reversal
from kvmnb.machine.machine import Machine, state_folder

SCHEMA = "kvmnb.journal/1"

Deed = Literal["open", "write", "written", "failed", "take_back", "taken_back", "kept", "end"]


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tunable's value before and after a step."""

    tunable: str
    before: str | None
    after: str | None


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the journal is about: the plan, the machine, and the boot it was applied in."""

    schema: str
    plan: str
    kvmnb: str
    uri: str
    host_uuid: str | None
    machine: str
    origin: str
    boot_id: str | None
    domains: dict[str, str]
    steps: int


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of a journal."""

    deed: Deed
    at: str
    previous: str
    opening: Opening | None = None
    step: int | None = None
    values: tuple[Value, ...] = ()
    reversal: Reversal | None = None
    word: str | None = None
    hash: str = ""


class Journal:
    """A journal file, read whole and appended to."""

    def __init__(self, path: Path, records: tuple[Record, ...]) -> None:
        self.path = path
        self.records = list(records)

    @classmethod
    def create(cls, opening: Opening) -> Journal:
        """Start the journal of a plan; Refused where one exists (a plan is applied once)."""
        path = folder() / f"{opening.plan}.jsonl"
        # It gets its name only with its first record, so that a kill leaves no journal about nothing.
        journal = cls(path.with_suffix(f".{os.getpid()}"), ())
        try:
            os.close(os.open(journal.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
            journal.append("open", opening=opening)
            os.link(journal.path, path)
        except FileExistsError:
            raise Refused(f"plan {opening.plan} was applied before; make a new plan (its journal is {path})") from None
        except OSError as problem:
            raise KvmnbError(f"the journal {path} cannot be made: {problem.strerror}; nothing was changed") from problem
        finally:
            journal.path.unlink(missing_ok=True)
        _sync_folder(path.parent)
        journal.path = path
        return journal

    @classmethod
    def load(cls, path: Path) -> Journal:
        """Read a journal; KvmnbError where a line is no record.

        A last line without its end is a record that a kill cut off before its deed; it is left out.
        """
        try:
            raw = path.read_bytes()
        except OSError as problem:
            raise KvmnbError(f"the journal {path} cannot be read: {problem.strerror}") from problem
        lines = raw.split(b"\n")
        records = tuple(
            codec.from_json(line, Record, f"line {number} of the journal {path}")
            for number, line in enumerate(lines[:-1], start=1)
        )
        if not records or records[0].opening is None:
            raise KvmnbError(f"the journal {path} does not begin with what it is about; nothing was changed under it")
        return cls(path, records)

    @property
    def opening(self) -> Opening:
        """What the journal is about."""
        opening = self.records[0].opening
        assert opening is not None, "load and create begin every journal with it"
        return opening

    @property
    def id(self) -> str:
        """The plan's id, which is the journal's too."""
        return self.opening.plan

    def append(
        self,
        deed: Deed,
        *,
        opening: Opening | None = None,
        step: int | None = None,
        values: tuple[Value, ...] = (),
        reversal: Reversal | None = None,
        word: str | None = None,
    ) -> None:
        """Write one record and wait until it is on disk."""
        bare = Record(
            deed=deed,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            previous=self.records[-1].hash if self.records else "",
            opening=opening,
            step=step,
            values=values,
            reversal=reversal,
            word=word,
        )
        record = msgspec.structs.replace(bare, hash=_hash(bare))
        line = (codec.to_json(record) + "\n").encode()
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            try:
                _drop_cut_line(descriptor)
                if os.write(descriptor, line) != len(line):
                    raise OSError(28, "no space left for the whole record")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise KvmnbError(f"the journal {self.path} cannot be written: {problem.strerror or problem}") from problem
        self.records.append(record)

    def problem(self) -> str | None:
        """The first line whose hash or chain is wrong; None for a whole journal."""
        previous = ""
        for number, record in enumerate(self.records, start=1):
            if record.previous != previous or record.hash != _hash(msgspec.structs.replace(record, hash="")):
                return f"line {number} of {self.path} was changed after it was written"
            previous = record.hash
        return None

    def standing(self) -> tuple[Record, ...]:
        """The write records whose deed may stand: announced, and not taken back or given up since."""
        settled = {record.step for record in self.records if record.deed in ("taken_back", "kept")}
        return tuple(record for record in self.records if record.deed == "write" and record.step not in settled)

    @property
    def state(self) -> str:
        """``applied``, ``undone``, ``rolled back``, or ``unfinished`` where a process was stopped half-way."""
        last = self.records[-1]
        return last.word or "" if last.deed == "end" else "unfinished"


def folder() -> Path:
    """Where journals live, below the state folder; made with mode 0700."""
    path = state_folder() / "journal"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def journals() -> Iterator[Journal]:
    """All journals, the newest first."""
    for path in sorted(folder().glob("*.jsonl"), reverse=True):
        yield Journal.load(path)


def find(journal_id: str) -> Journal:
    """The journal of this id; KvmnbError where there is none."""
    if not re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{4}", journal_id):
        raise KvmnbError(f"{journal_id[:60]!r} is no journal id; `kvmnb journal list` shows them")
    path = folder() / f"{journal_id}.jsonl"
    if not path.exists():
        raise KvmnbError(f"there is no journal {journal_id} in {path.parent}; `kvmnb journal list` shows them")
    return Journal.load(path)


def unfinished(machine: Machine, host_uuid: str | None) -> Journal | None:
    """A journal of this machine that a stopped process left half-way."""
    for journal in journals():
        opening = journal.opening
        if journal.state in ("unfinished", "stuck") and (opening.host_uuid, opening.origin) == (
            host_uuid,
            machine.origin,
        ):
            return journal
    return None


@contextmanager
def alone(purpose: str) -> Iterator[None]:
    """Hold the lock of the state folder, so that two appliers never write at once."""
    descriptor = os.open(folder() / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused(f"{purpose}: another kvmnb applies or undoes a plan right now; wait until it is done") from None
    finally:
        os.close(descriptor)


def _hash(record: Record) -> str:
    return hashlib.sha256(codec.to_json(record).encode()).hexdigest()


def _drop_cut_line(descriptor: int) -> None:
    """Remove a last line that a kill left without its end; its deed was never begun."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    whole = os.pread(descriptor, size, 0)
    os.ftruncate(descriptor, whole.rfind(b"\n") + 1)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
