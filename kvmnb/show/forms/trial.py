"""A plan that waits to be confirmed, followed from its journal until it is settled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from time import time

from kvmnb.apply import guard
from kvmnb.apply.journal import Journal
from kvmnb.apply.shelf import HALF_WAY
from kvmnb.core.errors import KvmnbError
from kvmnb.show.forms.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Waits:
    """How long the plan may still be kept."""

    journal_id: str
    seconds: int
    until: str
    """The same as a time of day on this host's clock, which stays right in a page that is not drawn anew."""


_ENDINGS = {
    "reverted": "Nobody kept the plan in time, so all that it had changed was taken back.",
    "undone": "The plan was taken back before its time was over, from somewhere else.",
    "applied": "The plan was kept from somewhere else, and its lasting part is written.",
}


class Trial:
    """One journal, read again from its file each time; the deadline is its guard's, on the guard's clock."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def look(self) -> Waits | Outcome | str:
        """How long it waits still; what came of it; or, as a sentence, why it is neither."""
        try:
            # The guard first: where it is gone, what the journal says after that is its last word.
            deadline = guard.deadline_of(self.journal.path)
            watched = guard.watching(self.journal.path) is not None
            self.journal.reload()
        except KvmnbError as problem:
            return Outcome(False, f"What became of the plan cannot be read: {problem}.", self.journal.id)
        if self.journal.state not in HALF_WAY:
            said = _ENDINGS.get(self.journal.state, f"The plan is {self.journal.state}.")
            return Outcome(self.journal.state == "applied", said, journal_id=self.journal.id)
        left = 0.0 if deadline is None else deadline - guard.now()
        if self.journal.state == "waiting" and left > 0:
            until = datetime.fromtimestamp(time() + left).astimezone()
            return Waits(self.journal.id, math.ceil(left), f"{until:%H:%M:%S}")
        if left > 0:
            return "The plan is being kept or taken back right now."
        if watched:
            return "The time is over: all that the plan changed is being taken back."
        said = "The time is over, but the guard was stopped: what the plan changed may stand. Press Undo."
        return Outcome(False, said, journal_id=self.journal.id)
