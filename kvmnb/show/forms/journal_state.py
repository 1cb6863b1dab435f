"""This machine's journals for a pane: what stands of each, how safely it is taken back, and what may be pressed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from kvmnb.apply.journal import Journal
from kvmnb.apply.progress import Progress
from kvmnb.core.errors import KvmnbError
from kvmnb.show import words
from kvmnb.show.cards.journal import Written, written
from kvmnb.show.forms.outcome import Outcome, failed, judged
from kvmnb.show.forms.trial import Trial
from kvmnb.show.forms.verbs import Verbs, takes_changes
from kvmnb.tunable.tunable import Undo


class Deed(Enum):
    """What may be done about a journal."""

    UNDO = "Undo"
    RESUME = "Resume"
    KEEP = "Keep"


_STATES = {
    "waiting": "waits to be kept",
    "unfinished": "was left half-way: settle it before anything else is applied",
    "reverted": "taken back, since nobody kept it in time",
    "rolled back": "failed, and was taken back",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One journal as the pane shows it."""

    id: str
    made_at: str
    on: str
    """The guests that it touched, hostile text, or the host."""
    state: str
    standing: int
    undos: tuple[str, ...]
    """How what stands is taken back, with how many settings that holds for."""
    written: tuple[Written, ...]
    deeds: tuple[Deed, ...]


class JournalState:
    """The journals as they were last looked at. A journal is read anew by the verb that acts on it.

    ``changed`` is called after each deed, in the place of ``look``, by an owner that has more to look at.
    """

    def __init__(self, here: Verbs, changed: Callable[[], None] | None = None) -> None:
        self._here = here
        self._changed = changed or self.look
        self.journals: tuple[Journal, ...] = ()
        self.problem: str | None = None
        self.trial: Trial | None = None
        self.look()

    def look(self) -> None:
        """Read the journals again."""
        self.problem = None
        try:
            self.journals = self._here.journals()
        except KvmnbError as problem:
            # One that cannot be read is told; nothing is applied beside it either.
            self.journals, self.problem = (), str(problem)
        waiting = next((one for one in self.journals if one.state == "waiting"), None)
        self.trial = None if waiting is None else Trial(waiting)

    @property
    def half_way(self) -> Journal | None:
        """The newest journal that a stopped process left half-way."""
        return next((one for one in self.journals if one.state == "unfinished"), None)

    def undoable(self) -> Journal | None:
        """The newest journal with something to take back; none where the machine takes no changes."""
        if not takes_changes(self._here):
            return None
        return next((one for one in self.journals if one.standing()), None)

    def rows(self) -> list[Row]:
        """All journals, the newest first."""
        return [self._row(one) for one in self.journals]

    def undo(self, journal_id: str, progress: Progress, *, take_drifted: bool = False) -> Outcome:
        """Take back what stands of a journal."""
        journal = self._journal(journal_id)
        try:
            records = self._here.undo(journal, take_drifted=take_drifted, progress=progress)
        except KvmnbError as problem:
            return failed(problem, journal_id)
        finally:
            self._changed()
        said = f"{words.plural(sum(len(record.values) for record in records), 'setting')} taken back and read back"
        kept = [f"{words.plural(len(names), 'setting')} left alone: {why}" for names, why in journal.kept()]
        return Outcome(True, f"{'; '.join([said, *kept])}.", journal_id=journal_id)

    def resume(self, journal_id: str, progress: Progress) -> Outcome:
        """Bring a journal that was left half-way to its end."""
        journal = self._journal(journal_id)
        try:
            journal = self._here.resume(journal, progress=progress)
            verdicts = self._here.verify(journal) if journal.standing() else ()
        except KvmnbError as problem:
            return failed(problem, journal_id)
        finally:
            self._changed()
        if not verdicts:
            return Outcome(True, f"The plan was brought to its end: {journal.state}.", journal_id=journal_id)
        return judged(verdicts, "The plan was brought to its end: written", journal_id)

    def keep(self, journal_id: str, progress: Progress) -> Outcome:
        """Confirm a journal that waits, and write what lasts."""
        journal = self._journal(journal_id)
        try:
            journal = self._here.confirm(journal, progress=progress)
            verdicts = self._here.verify(journal)
        except KvmnbError as problem:
            return failed(problem, journal_id)
        finally:
            self._changed()
        return judged(verdicts, "The plan is kept, its lasting part is written", journal_id)

    def _journal(self, journal_id: str) -> Journal:
        return next(one for one in self.journals if one.id == journal_id)

    def _row(self, journal: Journal) -> Row:
        return Row(
            id=journal.id,
            made_at=journal.records[0].at[:19].replace("T", " ") + " UTC",
            on=words.listed([f"guest {name}" for name in journal.opening.domains]) or "this host",
            state=_STATES.get(journal.state, journal.state),
            standing=sum(len(one.values) for one in journal.standing()),
            undos=tuple(_undos(journal)),
            written=tuple(written(journal)),
            deeds=tuple(self._deeds(journal)),
        )

    def _deeds(self, journal: Journal) -> Sequence[Deed]:
        if not takes_changes(self._here):
            return ()
        if journal.state == "waiting":
            return (Deed.KEEP, Deed.UNDO)
        if journal.state == "unfinished":
            return (Deed.RESUME, Deed.UNDO)
        return (Deed.UNDO,) if journal.standing() else ()


def _undos(journal: Journal) -> list[str]:
    ways: Counter[Undo] = Counter()
    for one in journal.standing():
        step = journal.opening.steps[one.step]
        way = {value.tunable: undo for value, undo in zip(step.values, step.undo, strict=True)}
        ways.update(way[value.tunable] for value in one.values)
    return [f"{words.plural(ways[undo], 'setting')}: {words.UNDO[undo]}" for undo in Undo if ways[undo]]
