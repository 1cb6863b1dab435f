"""What of a journal may stand, step by step, as its records tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kvmnb.apply.record import Record, Value
from kvmnb.core.xml import Reversal


@dataclass(frozen=True, slots=True)
class Standing:
    """A step that may stand, and what takes it back.

    ``in_the_air``: its write, or its taking back, was announced and the outcome never recorded, so whatever value
    is found is kvmnb's own doing. ``xml`` is the domain's text before its define.
    """

    step: int
    values: tuple[Value, ...]
    beside: tuple[Value, ...]
    reversal: Reversal | None
    xml: str | None
    in_the_air: bool
    rest: Reversal | None = None
    """Where only some of the step's values are to be taken back: what takes back the others then."""


def standing_of(records: Sequence[Record]) -> tuple[Standing, ...]:
    """The steps that were announced, and not wholly taken back or given up since; in the order of writing."""
    found: dict[int, Standing] = {}
    for record in records:
        step = record.step
        if step is None:
            continue
        if record.deed == "write":
            found[step] = Standing(step, record.values, record.beside, record.reversal, record.xml, True)
        elif step not in found:
            continue
        elif record.deed == "landed":
            found[step] = replace(found[step], reversal=record.reversal)
        elif record.deed == "written":
            found[step] = replace(found[step], in_the_air=False)
        elif record.deed == "take_back":
            # A part of a define is there or not: nothing of it is in between.
            found[step] = replace(found[step], in_the_air=found[step].in_the_air or not record.values)
        elif record.deed in ("taken_back", "kept"):
            gone = {value.tunable for value in record.values or found[step].values}
            left = tuple(value for value in found[step].values if value.tunable not in gone)
            if not left:
                del found[step]
            else:
                reversal = record.reversal or found[step].reversal
                found[step] = replace(found[step], values=left, reversal=reversal, in_the_air=False)
    return tuple(found[step] for step in sorted(found))
