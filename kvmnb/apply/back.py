"""What a journal says may stand, taken back: the last step first, each announced and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from kvmnb.apply import rooted
from kvmnb.apply.boot import booted_since
from kvmnb.apply.journal import Journal
from kvmnb.apply.landing import from_the_air
from kvmnb.apply.opening import shown
from kvmnb.apply.part import part_of
from kvmnb.apply.progress import Progress, silent
from kvmnb.apply.record import Value
from kvmnb.apply.standing import Standing
from kvmnb.core.errors import (
    ApplyFailed,
    KvmnbError,
    NotAnswered,
    NotTakenBack,
    Refused,
    StalePlan,
    WriteFailed,
)
from kvmnb.core.xml import Reversal
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.tunable import names
from kvmnb.tunable.domain_xml import DomainXml, define, reverted, same_value
from kvmnb.tunable.neighbours import reset_by
from kvmnb.tunable.running_guest import RunningGuest
from kvmnb.tunable.tunable import Tunable

Append = Callable[..., None]


def take_back(
    journal: Journal,
    machine: Machine,
    *,
    only: Sequence[str] = (),
    take_drifted: bool = False,
    why: str = "undo",
    ending: str = "undone",
    progress: Progress = silent,
) -> tuple[Standing, ...]:
    """Take back all that stands of a journal, or these tunables alone; the steps that were, but for those left alone.

    Raises StalePlan with nothing changed where something else changed a value since, unless ``take_drifted``.
    Raises NotTakenBack where a step could not be taken back; all others were. The lock is held by the caller.
    """
    problem = journal.problem()
    if problem is not None:
        raise Refused(f"undoing {journal.id}: {problem}; nothing was changed")
    standing = _chosen(journal, only)
    if not take_drifted:
        _refuse_drifted(standing, machine, journal)
    if not standing and journal.records[-1].deed == "end":
        return ()
    journal.append("undo", word=why, values=tuple(value for one in standing for value in one.values) if only else ())
    notes = _Notes(journal)
    failed = _take_back_all(standing, machine, journal, notes, progress, take_drifted=True)
    if failed:
        raise NotTakenBack(stuck(journal, f"taking back plan {journal.id}", failed))
    notes.append("end", word=f"{ending} in part" if journal.standing() else ending)
    if notes.problem is not None:
        raise KvmnbError(
            f"all of plan {journal.id} was taken back, but {notes.problem}; make room and run "
            f"`kvmnb undo {journal.id}` once more"
        )
    kept = {name for names, _ in journal.kept() for name in names}
    return tuple(one for one in standing if one.values[0].tunable not in kept)


def roll_back(journal: Journal, machine: Machine, problem: BaseException) -> None:
    """Take back what stands after a failure, and raise what that came to.

    A journal that cannot be written any more (a full disk) does not stop it: a step that is found as it was before
    counts as taken back later.
    """
    said = str(problem) or type(problem).__name__
    notes = _Notes(journal)
    notes.append("failed", word=said)
    failed = _take_back_all(journal.standing(), machine, journal, notes, silent, take_drifted=False)
    if failed:
        raise NotTakenBack(stuck(journal, said, failed)) from problem
    notes.append("end", word="rolled back")
    tail = "" if notes.problem is None else f" (the journal does not tell so: {notes.problem})"
    if isinstance(problem, StalePlan):
        raise StalePlan(f"{said}; all that the plan had changed was taken back{tail}") from problem
    if isinstance(problem, KvmnbError | NotAnswered):
        raise ApplyFailed(f"{said}; all that the plan had changed was taken back{tail}") from problem


def take_back_step(one: Standing, machine: Machine, journal: Journal, append: Append) -> None:
    """Take back one step that may stand; WriteFailed where a value is then not as it was before."""
    partial = one.values if len(one.values) < len(journal.opening.steps[one.step].values) else ()
    tunables = announced_tunables(journal, one.values)
    kept = _why_kept(one, tunables, machine, journal)
    if kept is not None:
        append("kept", step=one.step, values=partial, word=kept)
        return
    stood = not _did_not_stand(one, tunables, machine, journal)
    if journal.opening.steps[one.step].rooted:
        append("take_back", step=one.step, values=partial)
        try:
            rooted.undo(journal)
        except Refused:
            # Where its own guard took all back already, nobody need be asked for a password again.
            if stood:
                raise
        for tunable, value in tunables:
            expect(tunable, value.before, machine, "was taken back")
        append("taken_back", step=one.step, values=partial)
        return
    if not stood:
        append("taken_back", step=one.step, values=partial, reversal=one.rest, word="it did not stand")
        return
    append("take_back", step=one.step, values=partial)
    first = tunables[0][0]
    if isinstance(first, DomainXml):
        define(machine, first.uuid, _xml_before(one, first, machine)[1])
    else:
        _bring(machine, [*tunables, *announced_tunables(journal, one.beside)])
    for tunable, value in tunables:
        expect(tunable, value.before, machine, "was taken back")
    append("taken_back", step=one.step, values=partial, reversal=one.rest)


def _xml_before(one: Standing, tunable: DomainXml, machine: Machine) -> tuple[str, str]:
    """The domain's XML as it is, and without what the step did."""
    now = machine.libvirt.xml(tunable.uuid, Layer.PERSISTENT)
    reversal = one.reversal or Reversal()
    if one.in_the_air and one.xml is not None:
        reversal = from_the_air(one.xml, reversal, now)
    return now, reverted(now, reversal)


def announced_tunables(journal: Journal, values: Iterable[Value]) -> list[tuple[Tunable, Value]]:
    """Each value with its tunable."""
    return [(names.parse(value.tunable, journal.opening.domains), value) for value in values]


def holds(tunable: Tunable, value: str | None, found: str | None, machine: Machine) -> bool:
    """Whether the found value is the asked one, in libvirt's spelling too."""
    return same_value(value, found) or (isinstance(tunable, DomainXml) and tunable.holds(machine, value))


def expect(tunable: Tunable, value: str | None, machine: Machine, deed: str) -> None:
    """Raise WriteFailed where a tunable does not read as it should after ``deed``."""
    found = tunable.read(machine)
    if not holds(tunable, value, found, machine):
        raise WriteFailed(f"{tunable} {deed} as {shown(value)}, and reads {shown(found)}")


def stuck(journal: Journal, said: str, failed: Sequence[str]) -> str:
    """What stands and how to finish it, as one sentence."""
    stands = ", ".join(value.tunable for one in journal.standing() for value in one.values)
    return (
        f"{said}; taking it back failed too: {'; '.join(failed)}; what may stand: {stands}; journal {journal.id}, "
        f"finish it with `kvmnb undo {journal.id}`"
    )


class _Notes:
    """A journal's lines for as long as it takes them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.problem: KvmnbError | None = None

    def append(self, deed: Any, **fields: Any) -> None:
        try:
            self.journal.append(deed, **fields)
        except KvmnbError as problem:
            self.problem = problem


def _take_back_all(
    standing: Sequence[Standing],
    machine: Machine,
    journal: Journal,
    notes: _Notes,
    progress: Progress,
    *,
    take_drifted: bool,
) -> list[str]:
    """Take back these steps, also after one could not be; what could not, each a sentence."""
    failed = []
    for done, one in enumerate(_order(standing, journal)):
        progress(done, len(standing), ", ".join(value.tunable for value in one.values))
        try:
            if not take_drifted:
                _refuse_drifted((one,), machine, journal)
            take_back_step(one, machine, journal, notes.append)
        except KvmnbError as problem:
            failed.append(str(problem))
    return failed


def _order(standing: Sequence[Standing], journal: Journal) -> list[Standing]:
    """The last step first, but what another one's write resets comes after that one."""
    tunables = {one.step: [tunable for tunable, _ in announced_tunables(journal, one.values)] for one in standing}
    reset = {other for found in tunables.values() for tunable in found for other in reset_by(tunable)}
    return sorted(standing, key=lambda one: (any(each in reset for each in tunables[one.step]), -one.step))


def _chosen(journal: Journal, only: Sequence[str]) -> tuple[Standing, ...]:
    standing = journal.standing()
    if not only:
        return standing
    missing = set(only) - {value.tunable for one in standing for value in one.values}
    if missing:
        raise Refused(f"{min(missing)} is not among what stands of this plan; `kvmnb journal show` lists it")
    parts = (
        # kvmnb-root has a step of its own for each of these.
        replace(one, values=tuple(value for value in one.values if value.tunable in only))
        if journal.opening.steps[one.step].rooted
        else part_of(one, only, journal.opening.domains)
        for one in standing
    )
    return tuple(part for part in parts if part is not None and part.values)


def _refuse_drifted(standing: Sequence[Standing], machine: Machine, journal: Journal) -> None:
    """Raise StalePlan where a value is neither what the plan wrote nor what was before."""
    drifted = []
    for one in standing:
        tunables = announced_tunables(journal, one.values)
        if one.in_the_air or _why_kept(one, tunables, machine, journal) is not None:
            continue
        for tunable, value in tunables:
            found = tunable.read(machine)
            if not holds(tunable, value.after, found, machine) and not _is_before(tunable, value, found, machine):
                drifted.append(f"{tunable} was set to {shown(value.after)} and is {shown(found)} now")
    if drifted:
        raise StalePlan(
            f"{'; '.join(drifted)}: something else changed it since, so nothing was taken back "
            "(--take-drifted takes it back all the same, --only takes back others alone)"
        )


def _why_kept(
    one: Standing, tunables: Sequence[tuple[Tunable, Value]], machine: Machine, journal: Journal
) -> str | None:
    """Why a step is left alone, or None."""
    first = tunables[0][0]
    if not first.lasts and booted_since(journal, machine):
        return "the host was booted since, which reset it; it was left as it is"
    if first.target in journal.opening.domains:
        uuid = journal.opening.domains[first.target]
        present = {record.uuid: record.name for record in machine.libvirt.domains()}
        if uuid not in present:
            return f"the domain {first.target!r} is not there any more, and its settings went with it"
    return None


def _did_not_stand(
    one: Standing, tunables: Sequence[tuple[Tunable, Value]], machine: Machine, journal: Journal
) -> bool:
    """Whether all is as before: a kill came between the announcement and the deed, or somebody took it back."""
    first = tunables[0][0]
    if isinstance(first, DomainXml) and one.in_the_air:
        now, before = _xml_before(one, first, machine)
        return now == before
    beside = [] if not one.in_the_air else announced_tunables(journal, one.beside)
    return all(_is_before(tunable, value, tunable.read(machine), machine) for tunable, value in [*tunables, *beside])


def _is_before(tunable: Tunable, value: Value, now: str | None, machine: Machine) -> bool:
    # What a running guest had is gone with its process; its next start reads the XML.
    if isinstance(tunable, RunningGuest) and now is None and not tunable.runs(machine):
        return True
    return same_value(value.before, now)


def _bring(machine: Machine, tunables: Sequence[tuple[Tunable, Value]]) -> None:
    """Write what differs from before, twice at most: a neighbour's write may reset, or settle, another.

    ``vm.dirty_bytes`` cannot be written as 0: it becomes 0 with its counterpart's write.
    """
    for last in (False, True):
        for tunable, value in tunables:
            if same_value(value.before, tunable.read(machine)):
                continue
            try:
                tunable.write(machine, value.before)
            except WriteFailed:
                if last:
                    raise
