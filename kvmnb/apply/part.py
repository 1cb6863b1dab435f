"""Some of the values that one step wrote together, taken back without the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kvmnb.apply.record import Value
from kvmnb.apply.standing import Standing
from kvmnb.core.errors import Refused
from kvmnb.core.xml import Reversal
from kvmnb.core.xml.difference import difference
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.tunable import names
from kvmnb.tunable.domain_xml import DomainXml, edited


def part_of(one: Standing, only: Sequence[str], domains: Mapping[str, str]) -> Standing | None:
    """The step with these of its values alone; None where it has none of them.

    Raises Refused where the step can only be taken back as a whole.
    """
    chosen = tuple(value for value in one.values if value.tunable in only)
    if not chosen or len(chosen) == len(one.values):
        return one if chosen else None
    if one.xml is None or one.reversal is None or one.in_the_air:
        raise Refused(
            f"{chosen[0].tunable} was written together with {len(one.values) - 1} others and is taken back with them; "
            "run `kvmnb undo` without --only"
        )
    kept = tuple(value for value in one.values if value.tunable not in only)
    both, without = _edited(one.xml, one.values, domains), _edited(one.xml, kept, domains)
    beside = one.reversal.touched[: len(one.reversal.touched) - len(both[1].touched)]
    return replace(
        one,
        values=chosen,
        reversal=difference(without[0], both[0], DOMAIN),
        rest=Reversal((*beside, *without[1].touched)),
    )


def _edited(text: str, values: Sequence[Value], domains: Mapping[str, str]) -> tuple[str, Reversal]:
    tunables = ((names.parse(value.tunable, domains), value.after) for value in values)
    result = edited(text, [(one, after) for one, after in tunables if isinstance(one, DomainXml)])
    return result.text, result.reversal
