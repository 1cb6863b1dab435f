"""The folder where journals lie, and the lock that lets one writer in at a time."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kvmnb.apply.journal import Journal
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine.machine import Machine, state_folder

HALF_WAY = ("unfinished", "waiting")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of journals, mode 0700."""

    folder: Path

    @classmethod
    def own(cls) -> Shelf:
        """This user's, below the state folder."""
        return cls.at(state_folder() / "journal")

    @classmethod
    def at(cls, folder: Path) -> Shelf:
        """The shelf in this folder, which is made where it is absent."""
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            raise KvmnbError(f"the folder for journals {folder} cannot be made: {problem.strerror}") from problem
        return cls(folder)

    def paths(self) -> list[Path]:
        """The journals' files, the newest first."""
        # An id has the second it was made in; of one second, the one that was written to last counts as newer.
        found = self.folder.glob("*.jsonl")
        return sorted(found, key=lambda path: (path.name.partition("-")[0], path.stat().st_mtime_ns), reverse=True)

    def journals(self) -> Iterator[Journal]:
        """All journals, the newest first; KvmnbError at one that was changed by other hands."""
        return map(Journal.load, self.paths())

    def path(self, journal_id: str) -> Path:
        """The file of this id; KvmnbError where there is none."""
        if not re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{4}", journal_id):
            raise KvmnbError(f"{journal_id[:60]!r} is no journal id; `kvmnb journal list` shows them")
        path = self.folder / f"{journal_id}.jsonl"
        if not path.exists():
            raise KvmnbError(f"there is no journal {journal_id} in {self.folder}; `kvmnb journal list` shows them")
        return path

    def find(self, journal_id: str) -> Journal:
        """The journal of this id; KvmnbError where there is none."""
        return Journal.load(self.path(journal_id))

    def half_way(self, machine: Machine, host_uuid: str | None) -> Journal | None:
        """The newest journal of this machine that a stopped process left half-way, or that waits to be confirmed."""
        here = (host_uuid, machine.origin)
        for journal in self.journals():
            if journal.state in HALF_WAY and (journal.opening.host_uuid, journal.opening.origin) == here:
                return journal
        return None

    @contextmanager
    def alone(self, purpose: str) -> Iterator[None]:
        """Hold the folder's lock, so that two appliers never write at once; Refused where another holds it."""
        try:
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise KvmnbError(f"{purpose}: the lock in {self.folder} cannot be opened: {problem.strerror}") from problem
        try:
            self._lock(descriptor, purpose)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, purpose: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"{purpose}: another kvmnb applies or undoes a plan right now; wait until it is done"
            ) from None


def journals() -> Iterator[Journal]:
    """This user's journals, the newest first."""
    return Shelf.own().journals()


def find(journal_id: str) -> Journal:
    """This user's journal of this id."""
    return Shelf.own().find(journal_id)
