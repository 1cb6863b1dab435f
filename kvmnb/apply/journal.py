"""The journal of one plan: what is about to be written, what was, and how to take it back.

One file a plan, append-only, one JSON record a line. Each record is on disk before the deed that it
announces, and carries the hash of the record before it, so that a changed or lost line is found.
Records hold values as they are (mode 0600, folder 0700); what is shown of them is masked.
"""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kvmnb.apply.record import Deed, Opening, Record, Value, hash_of
from kvmnb.apply.standing import Standing, standing_of
from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused


class Journal:
    """A journal file, read whole and appended to."""

    def __init__(self, path: Path, records: tuple[Record, ...]) -> None:
        self.path = path
        self.records = list(records)

    @classmethod
    def create(cls, opening: Opening, folder: Path) -> Journal:
        """Start the journal of a plan; Refused where one exists (a plan is applied once)."""
        path = folder / f"{opening.plan}.jsonl"
        # It gets its name only with its first record, so that a kill leaves no journal about nothing.
        journal = cls(path.with_suffix(f".{os.getpid()}"), ())
        try:
            os.close(os.open(journal.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
            journal.append("open", opening=opening)
            os.link(journal.path, path)
        except FileExistsError:
            raise Refused(f"plan {opening.plan} was applied before; make a new plan (its journal is {path})") from None
        except (OSError, KvmnbError) as problem:
            word = problem.strerror if isinstance(problem, OSError) else str(problem)
            raise KvmnbError(f"the journal {path} cannot be made: {word}; nothing was changed") from problem
        finally:
            journal.path.unlink(missing_ok=True)
        _sync_folder(folder)
        journal.path = path
        return journal

    @classmethod
    def load(cls, path: Path) -> Journal:
        """Read a journal; KvmnbError, which names the line, where one is no record as it was written.

        A last line without its end is a record that a kill cut off before its deed; it is left out.
        """
        try:
            raw = path.read_bytes()
        except OSError as problem:
            raise KvmnbError(f"the journal {path} cannot be read: {problem.strerror}") from problem
        *lines, rest = raw.split(b"\n")
        records = tuple(_record(line, number, path) for number, line in enumerate(lines, start=1))
        if not _is_cut(rest):
            raise KvmnbError(_changed(len(lines) + 1, path))
        if not records or records[0].opening is None:
            raise KvmnbError(f"the journal {path} does not begin with what it is about; nothing was changed under it")
        return cls(path, records)

    def reload(self) -> None:
        """Read the file again: another process may have written since."""
        self.records = Journal.load(self.path).records

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

    def append(self, deed: Deed, **fields: Any) -> None:
        """Write one record, of the fields of ``Record``, and wait until it is on disk."""
        bare = Record(
            deed=deed,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            previous=self.records[-1].hash if self.records else "",
            **fields,
        )
        record = msgspec.structs.replace(bare, hash=hash_of(bare))
        line = (codec.to_json(record) + "\n").encode()
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            try:
                _drop_cut_line(descriptor)
                if os.write(descriptor, line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
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
            if record.previous != previous or record.hash != hash_of(record):
                return _changed(number, self.path)
            previous = record.hash
        return None

    def standing(self) -> tuple[Standing, ...]:
        """The steps whose deed may stand: announced, and not taken back or given up since."""
        return standing_of(self.records)

    def announced(self) -> tuple[Value, ...]:
        """Every value that was announced, in the order of writing."""
        begun = {record.step for record in self.records if record.deed == "write"}
        return tuple(
            value for number, step in enumerate(self.opening.steps) if number in begun for value in step.values
        )

    def kept(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        """What the last undo left alone: the names of the tunables, and why."""
        mark = max((place for place, record in enumerate(self.records) if record.deed in ("undo", "failed")), default=0)
        return tuple(
            (tuple(value.tunable for value in record.values or self.opening.steps[record.step].values), record.word)
            for record in self.records[mark:]
            if record.deed == "kept" and record.step is not None and record.word is not None
        )

    def steps(self, *, lasting: bool) -> tuple[int, ...]:
        """The numbers of the steps that outlive the next boot, or of those that do not."""
        return tuple(number for number, step in enumerate(self.opening.steps) if step.lasting is lasting)

    @property
    def order(self) -> tuple[int, ...]:
        """The numbers of all steps in the order of their writing: the lasting ones last."""
        return (*self.steps(lasting=False), *self.steps(lasting=True))

    @property
    def written(self) -> frozenset[int]:
        """The numbers of the steps that were written, read back, and stand."""
        return frozenset(one.step for one in self.standing() if not one.in_the_air)

    @property
    def state(self) -> str:
        """The word it ended with, such as ``applied``, ``undone`` or ``rolled back``.

        ``waiting``: its live part is done, and nobody confirmed yet. ``unfinished``: a process was stopped half-way.
        """
        last = self.records[-1]
        if last.deed == "end":
            return last.word or ""
        return "waiting" if last.deed == "wait" else "unfinished"

    @property
    def turned_back(self) -> Record | None:
        """The record that turned the plan around, where that is what was begun last; ``values`` where only some."""
        turns = [record for record in self.records if record.deed in ("failed", "undo", "wait", "confirmed")]
        return turns[-1] if turns and turns[-1].deed != "confirmed" else None


def _record(line: bytes, number: int, path: Path) -> Record:
    """One line; KvmnbError where it is not, byte for byte, what kvmnb writes."""
    record = codec.from_json(line, Record, f"line {number} of the journal {path}")
    if codec.to_json(record).encode() != line:
        raise KvmnbError(_changed(number, path))
    return record


def _changed(number: int, path: Path) -> str:
    return f"line {number} of {path} was changed after it was written"


def _is_cut(rest: bytes) -> bool:
    """Whether what follows the last line end is nothing, or the beginning of a record and no more."""
    text = rest.decode(errors="ignore")
    try:
        return json.JSONDecoder().raw_decode(text)[1] == len(text)
    except ValueError:
        return True


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
