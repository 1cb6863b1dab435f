"""Steps of a plan, written: each announced, read back, and all taken back where one fails."""

from __future__ import annotations

from collections.abc import Iterable

from kvmnb.apply import landing, rooted
from kvmnb.apply.back import announced_tunables, expect, holds, roll_back, take_back_step
from kvmnb.apply.journal import Journal
from kvmnb.apply.opening import refuse_other_domains, shown
from kvmnb.apply.progress import Progress, silent
from kvmnb.apply.record import Step, Value
from kvmnb.core.errors import StalePlan, WriteFailed
from kvmnb.core.xml import Edited
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.tunable.domain_xml import DomainXml, define, edited, same_value
from kvmnb.tunable.neighbours import reset_by
from kvmnb.tunable.tunable import Tunable


def carry_out(
    journal: Journal,
    machine: Machine,
    steps: Iterable[int],
    *,
    ending: str | None = None,
    progress: Progress = silent,
) -> None:
    """Write those of these steps that do not stand yet, read all that stands again, and end the journal so.

    On any failure everything that the journal holds is taken back: ApplyFailed, StalePlan where a value was not the
    plan's ``before`` any more, NotTakenBack where something stands that could not be taken back.
    """
    planned = journal.opening.steps
    try:
        for number in steps:
            if number not in journal.written:
                progress(number, len(planned), _words(planned[number]))
                _write_step(number, machine, journal)
        _expect_all(journal, machine)
        if ending is not None:
            journal.append("end", word=ending)
    except BaseException as problem:
        roll_back(journal, machine, problem)
        raise


def _write_step(number: int, machine: Machine, journal: Journal) -> None:
    begun = next((one for one in journal.standing() if one.step == number), None)
    tunables = announced_tunables(journal, journal.opening.steps[number].values)
    if begun is not None:
        # A stopped process announced it. A host setting may hold already; all else is begun anew, since what a
        # define did beside it was not recorded.
        xml = isinstance(tunables[0][0], DomainXml)
        if not xml and all(holds(one, value.after, one.read(machine), machine) for one, value in tunables):
            journal.append("written", step=number)
            return
        take_back_step(begun, machine, journal, journal.append)
    values = tuple(value for _, value in tunables)
    first = tunables[0][0]
    if journal.opening.steps[number].rooted:
        # It compares with the plan's values by itself, and its one answer is of the live and the lasting step.
        journal.append("write", step=number, values=values)
        if not all(holds(one, value.after, one.read(machine), machine) for one, value in tunables):
            rooted.write(journal)
        _expect(tunables, machine)
        journal.append("written", step=number)
        return
    _refuse_stale(tunables, machine, _reset_so_far(journal))
    if isinstance(first, DomainXml):
        refuse_other_domains({first.domain: first.uuid}, machine)
        before = machine.libvirt.xml(first.uuid, Layer.PERSISTENT)
        result = edited(before, [(one, value.after) for one, value in tunables if isinstance(one, DomainXml)])
        journal.append("write", step=number, values=values, reversal=result.reversal, xml=before)
        define(machine, first.uuid, result.text)
        _land(number, first, before, result, machine, journal)
    else:
        journal.append("write", step=number, values=values, beside=_beside(first, machine))
        first.write(machine, values[0].after)
    _expect(tunables, machine)
    journal.append("written", step=number)


def _land(number: int, tunable: DomainXml, before: str, asked: Edited, machine: Machine, journal: Journal) -> None:
    """Record what libvirt did beside what was asked; WriteFailed where it changed what stood there."""
    now = machine.libvirt.xml(tunable.uuid, Layer.PERSISTENT)
    if now == asked.text:
        return
    whole = landing.beside(before, asked.reversal, now)
    journal.append("landed", step=number, reversal=whole)
    altered = landing.altered(whole, asked.reversal)
    if altered:
        raise WriteFailed(
            f"defining domain {tunable.domain!r}: libvirt took the plan's settings and changed "
            f"{', '.join(altered[:5])} beside them, which nobody asked for"
        )


def _expect(tunables: Iterable[tuple[Tunable, Value]], machine: Machine) -> None:
    for tunable, value in tunables:
        expect(tunable, value.after, machine, "was written")


def _reset_so_far(journal: Journal) -> frozenset[Tunable]:
    """What the steps that stand have reset: its value is the kernel's doing, and no longer the plan's ``before``."""
    standing = (one for step in journal.standing() for one, _ in announced_tunables(journal, step.values))
    return frozenset(other for tunable in standing for other in reset_by(tunable))


def _refuse_stale(tunables: Iterable[tuple[Tunable, Value]], machine: Machine, reset: frozenset[Tunable]) -> None:
    for tunable, value in tunables:
        found = tunable.read(machine)
        if not same_value(value.before, found) and tunable not in reset:
            raise StalePlan(
                f"{tunable} was {shown(value.before)} when the plan was made and is {shown(found)} now; make a new plan"
            )


def _beside(tunable: Tunable, machine: Machine) -> tuple[Value, ...]:
    """The neighbours that the write resets, as they are."""
    found = ((one, one.read(machine)) for one in reset_by(tunable))
    return tuple(Value(str(one), value, None) for one, value in found if value is not None)


def _expect_all(journal: Journal, machine: Machine) -> None:
    """What was written holds still: no later step disturbed an earlier one."""
    for standing in journal.standing():
        for tunable, value in announced_tunables(journal, standing.values):
            found = tunable.read(machine)
            if not holds(tunable, value.after, found, machine):
                raise WriteFailed(
                    f"{tunable} was written as {shown(value.after)}, and reads {shown(found)} after the later steps"
                )


def _words(step: Step) -> str:
    first = step.values[0].tunable
    if len(step.values) == 1:
        return first
    if step.rooted:
        return f"{len(step.values)} settings of the host, through kvmnb-root"
    return f"{len(step.values)} settings in the XML of {first.split(':')[1]}"
