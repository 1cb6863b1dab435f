"""A plan carried out as a whole, or taken back as a whole."""

from __future__ import annotations

from collections.abc import Callable

from kvmnb.advise.finding import Safety
from kvmnb.apply import journal as journals
from kvmnb.apply.journal import Journal, Opening, Record
from kvmnb.apply.write import refuse_other_domains, refuse_stale, take_back, write_step
from kvmnb.core.errors import ApplyFailed, KvmnbError, NotAnswered, NotTakenBack, Refused, StalePlan
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change, Plan
from kvmnb.tunable.tunable import Verdict

Progress = Callable[[int, int, str], None]


def silent(step: int, steps: int, word: str) -> None:
    """A progress that tells nobody."""


def apply_plan(
    plan: Plan,
    machine: Machine,
    host_uuid: str | None,
    *,
    accept_disruptive: bool = False,
    began: Callable[[str], None] = lambda journal_id: None,
    progress: Progress = silent,
) -> Journal:
    """Write all changes of a plan, each announced, read back and undoable; on any failure, none stands.

    ``began`` gets the journal's id before the first write. Raises Refused and StalePlan with nothing
    written, ApplyFailed with all of it taken back, NotTakenBack where that failed too.
    """
    refuse_foreign(plan, machine, host_uuid)
    if not plan:
        raise Refused("the plan holds no change, so there is nothing to apply")
    disruptive = [change for change in plan.changes if change.safety is not Safety.SAFE]
    if disruptive and not accept_disruptive:
        raise Refused(
            f"{len(disruptive)} of {len(plan.changes)} changes are disruptive (the first: {disruptive[0].tunable}); "
            "read what they cost and apply with --accept-disruptive"
        )
    with journals.alone("applying a plan"):
        left = journals.unfinished(machine, host_uuid)
        if left is not None:
            raise NotTakenBack(
                f"plan {left.id} was left half-way on this machine; settle it first with `kvmnb undo {left.id}` "
                "(nothing was changed now)"
            )
        refuse_other_domains(plan.domains, machine)
        refuse_stale(plan.changes, machine)
        groups = list(plan.groups())
        journal = Journal.create(_opening(plan, machine, host_uuid, len(groups)))
        began(journal.id)
        try:
            for number, group in enumerate(groups):
                progress(number, len(groups), _words(group))
                write_step(number, group, machine, journal)
        except BaseException as problem:
            _roll_back(journal, machine, problem)
            raise
        journal.append("end", word="applied")
        progress(len(groups), len(groups), "done")
    return journal


def undo_plan(
    journal: Journal,
    machine: Machine,
    host_uuid: str | None,
    *,
    take_drifted: bool = False,
    progress: Progress = silent,
) -> tuple[Record, ...]:
    """Take back all that stands of a journal, last step first; the records that were taken back.

    Raises StalePlan where a value was changed by something else since: that step and the earlier ones
    are left as they are, and the journal says which.
    """
    opening = journal.opening
    if (opening.host_uuid, opening.origin) != (host_uuid, machine.origin):
        raise Refused(
            f"the journal {journal.id} is of {opening.origin} (host {opening.host_uuid}), "
            f"not of {machine.origin} (host {host_uuid})"
        )
    problem = journal.problem()
    if problem is not None:
        raise Refused(f"undoing {journal.id}: {problem}; nothing was changed")
    with journals.alone("undoing a plan"):
        standing = journal.standing()
        touched = {name for record in standing for name in _domains_of(record, opening)}
        refuse_other_domains({name: opening.domains[name] for name in sorted(touched)}, machine)
        for done, record in enumerate(reversed(standing)):
            progress(done, len(standing), ", ".join(value.tunable for value in record.values))
            take_back(record, machine, journal, take_drifted=take_drifted)
        if standing or journal.state == "unfinished":
            journal.append("end", word="undone")
    return standing


def verify_changes(changes: tuple[Change, ...], machine: Machine) -> tuple[tuple[Change, Verdict], ...]:
    """Each change with whether its value is in force, on the layer where it works."""
    return tuple((change, change.tunable.verify(machine, change.after)) for change in changes)


def refuse_foreign(plan: Plan, machine: Machine, host_uuid: str | None) -> None:
    """Raise Refused where a plan was made on another host, or on another kind of machine."""
    if machine.kind in ("recorded", "root"):
        raise Refused(f"{machine.title} is a recording, which takes no writes")
    if plan.machine != machine.kind:
        raise Refused(
            f"the plan was made on a {plan.machine} machine and this is a {machine.kind} one; make a new plan here"
        )
    if plan.host_uuid != host_uuid or plan.host_uuid is None:
        raise Refused(
            f"the plan was made on another host (UUID {plan.host_uuid}, this one has {host_uuid}); make a new plan here"
        )


def boot_id(machine: Machine) -> str | None:
    """The id of the kernel's present boot; None where the host's files are not ours to read."""
    if machine.files is None:
        return None
    try:
        return machine.files.read("proc/sys/kernel/random/boot_id")
    except (OSError, ValueError):
        return None


def _opening(plan: Plan, machine: Machine, host_uuid: str | None, steps: int) -> Opening:
    return Opening(
        schema=journals.SCHEMA,
        plan=plan.id,
        kvmnb=plan.kvmnb,
        uri=plan.uri,
        host_uuid=host_uuid,
        machine=machine.kind,
        origin=machine.origin,
        boot_id=boot_id(machine),
        domains=dict(plan.domains),
        steps=steps,
    )


def _roll_back(journal: Journal, machine: Machine, problem: BaseException) -> None:
    """Take back what stands after a failure, and raise what that came to."""
    said = str(problem) or type(problem).__name__
    try:
        journal.append("failed", word=said)
        for record in reversed(journal.standing()):
            take_back(record, machine, journal, take_drifted=False)
        journal.append("end", word="rolled back")
    except KvmnbError as worse:
        raise NotTakenBack(_stuck(journal, said, worse)) from problem
    if isinstance(problem, StalePlan):
        raise problem
    if isinstance(problem, KvmnbError | NotAnswered):
        raise ApplyFailed(f"{said}; all that the plan had changed was taken back") from problem


def _stuck(journal: Journal, said: str, worse: KvmnbError) -> str:
    standing = [value for record in journal.standing() for value in record.values]
    lines = "; ".join(f"{value.tunable} may stand" for value in standing)
    return (
        f"{said}; taking it back failed too: {worse}; {lines}; journal {journal.id}, "
        f"finish it with `kvmnb undo {journal.id}`"
    )


def _words(group: tuple[Change, ...]) -> str:
    first = group[0]
    return str(first.tunable) if len(group) == 1 else f"{len(group)} settings in the XML of {first.tunable.target}"


def _domains_of(record: Record, opening: Opening) -> list[str]:
    from kvmnb.tunable import names

    targets = (names.parse(value.tunable, opening.domains).target for value in record.values)
    return [target for target in targets if target in opening.domains]
