"""Plans that were applied or undone meanwhile, by whichever program: marks on the time axis, from their journals."""

from __future__ import annotations

import time
from pathlib import Path

from kvmnb.apply.journal import Journal
from kvmnb.core.errors import KvmnbError
from kvmnb.measure.series import Event

LOOK_SECONDS = 2.0
UNDONE = ("undone", "rolled back")


class Journals:
    """Looks now and then at the journals in a folder; what stood there at the first look is no event."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, int] | None = None
        self._states: dict[Path, str] = {}
        self._due = float("-inf")

    def events(self) -> tuple[Event, ...]:
        """What happened since the last look."""
        now = time.monotonic()
        if now < self._due:
            return ()
        self._due = now + LOOK_SECONDS
        seen = _changed_at(self._folder)
        first, before = self._seen is None, self._seen or {}
        self._seen = seen
        found = [] if first else [self._event(path) for path, at in seen.items() if before.get(path) != at]
        return tuple(event for event in found if event is not None)

    def _event(self, path: Path) -> Event | None:
        try:
            journal = Journal.load(path)
        except KvmnbError as problem:
            return Event(time.time(), "note", "", f"a journal changed that cannot be read: {problem}")
        state = journal.state
        if self._states.get(path) == state:
            return None
        self._states[path] = state
        if state == "applied":
            return Event(time.time(), "plan applied", "", f"plan {journal.id} applied")
        if state in UNDONE:
            return Event(time.time(), "plan undone", "", f"plan {journal.id} {state}")
        return None


def _changed_at(folder: Path) -> dict[Path, int]:
    """When each journal was written to last; none where there is no such folder."""
    found: dict[Path, int] = {}
    for path in folder.glob("*.jsonl"):
        try:
            found[path] = path.stat().st_mtime_ns
        except OSError:
            # It was taken away between the two looks.
            continue
    return found
