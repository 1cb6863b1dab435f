"""The card of a journal: what was written, and what of it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmnb.apply.journal import Journal
from kvmnb.show import template, words


@dataclass(frozen=True, slots=True)
class Written:
    """One setting that a journal announced."""

    step: int
    tunable: str
    before: str | None
    after: str | None
    state: str


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One journal in a table of journals."""

    id: str
    guests: str
    state: str
    standing: int


def html(journal: Journal) -> str:
    """The card."""
    return template.page(
        "journal", journal=journal, headline=text(journal), standing=standing(journal), rows=written(journal)
    )


def text(journal: Journal) -> str:
    """The card as one line."""
    count = words.plural(len(written(journal)), "setting")
    return f"Journal: {journal.state}, {count}, {_standing(journal)} of them in force"


def table(journals: Sequence[Journal]) -> str:
    """Several journals as one table."""
    return template.page("journals", rows=[_row(journal) for journal in journals])


def table_text(journals: Sequence[Journal]) -> str:
    """The table as lines."""
    return "\n".join(text(journal) for journal in journals)


def standing(journal: Journal) -> str:
    """Whether there is something to take back."""
    if journal.standing():
        return f"kvmnb undo {journal.id} takes it back, from a terminal too."
    return "Nothing of it stands any more."


def written(journal: Journal) -> list[Written]:
    """Every setting that was announced, in the order of writing."""
    stands = {record.step for record in journal.standing()}
    done = {record.step for record in journal.records if record.deed == "written"}
    return [
        Written(record.step, value.tunable, value.before, value.after, _state(record.step, stands, done))
        for record in journal.records
        if record.deed == "write" and record.step is not None
        for value in record.values
    ]


def _state(step: int, stands: set[int], done: set[int | None]) -> str:
    if step not in stands:
        return "taken back"
    return "written and read back" if step in done else "announced; it may stand"


def _standing(journal: Journal) -> int:
    return sum(len(record.values) for record in journal.standing())


def _row(journal: Journal) -> JournalRow:
    guests = ", ".join(journal.opening.domains) or "the host"
    return JournalRow(journal.id, guests, journal.state, _standing(journal))
