"""What is checked before a plan's first write, and the journal that is opened then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kvmnb.advise.finding import Safety
from kvmnb.apply.boot import boot_id
from kvmnb.apply.journal import Journal
from kvmnb.apply.record import SCHEMA, Opening, Step, Value
from kvmnb.apply.rooted import needs_root
from kvmnb.apply.shelf import Shelf
from kvmnb.core.errors import DomainGone, NotTakenBack, Refused, StalePlan
from kvmnb.core.xml.mask import mask
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change, Plan
from kvmnb.tunable.domain_xml import same_value


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a plan is applied: within how many seconds it must be confirmed, and for which user."""

    confirm_within: int | None = None
    owner: int | None = None


UNGUARDED = Terms()


def open_journal(
    plan: Plan,
    machine: Machine,
    host_uuid: str | None,
    shelf: Shelf,
    terms: Terms = UNGUARDED,
    preflight: Callable[[], None] = lambda: None,
) -> Journal:
    """Check that a plan may be applied here and now, and open its journal; the shelf's lock is held by the caller.

    ``preflight`` raises what else stands against the plan; it is asked once its values are known to hold still.
    Raises Refused, DomainGone, StalePlan and NotTakenBack (another plan was left half-way) with nothing written.
    """
    refuse_foreign(plan, machine, host_uuid)
    if not plan:
        raise Refused("the plan holds no change, so there is nothing to apply")
    refuse_half_way(shelf, machine, host_uuid)
    refuse_other_domains(plan.domains, machine)
    refuse_stale(plan.changes, machine)
    preflight()
    opening = Opening(
        schema=SCHEMA,
        plan=plan.id,
        kvmnb=plan.kvmnb,
        uri=plan.uri,
        host_uuid=host_uuid,
        machine=machine.kind,
        origin=machine.origin,
        boot_id=boot_id(machine),
        domains=dict(plan.domains),
        steps=tuple(_steps(plan, machine)),
        confirm_within=terms.confirm_within,
        owner=terms.owner,
    )
    return Journal.create(opening, shelf.folder)


def refuse_disruptive(plan: Plan) -> None:
    """Raise Refused where a change of the plan costs something."""
    disruptive = [change for change in plan.changes if change.safety is not Safety.SAFE]
    if disruptive:
        raise Refused(
            f"{len(disruptive)} of {len(plan.changes)} changes are disruptive (the first: {disruptive[0].tunable}); "
            "read what they cost and apply with --accept-disruptive"
        )


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


def refuse_half_way(shelf: Shelf, machine: Machine, host_uuid: str | None) -> None:
    """Raise NotTakenBack where a stopped process left a plan half-way, or one waits to be confirmed."""
    left = shelf.half_way(machine, host_uuid)
    if left is not None:
        how = "waits to be confirmed" if left.state == "waiting" else "was left half-way"
        raise NotTakenBack(
            f"plan {left.id} {how} on this machine; settle it first with `kvmnb resume {left.id}` "
            f"or `kvmnb undo {left.id}` (nothing was changed now)"
        )


def refuse_other_domains(domains: Mapping[str, str], machine: Machine) -> None:
    """Raise DomainGone where a domain is gone, or another one has its name."""
    if not domains:
        return
    present = {record.name: record.uuid for record in machine.libvirt.domains()}
    for name, uuid in domains.items():
        if name not in present:
            raise DomainGone(f"the domain {name!r} of the plan is not there any more; nothing was changed, audit again")
        if present[name] != uuid:
            raise DomainGone(
                f"the domain {name!r} is another one now (UUID {present[name]}, the plan has {uuid}); "
                "nothing was changed, audit again"
            )


def refuse_stale(changes: Sequence[Change], machine: Machine) -> None:
    """Raise StalePlan where a tunable no longer has the value that the plan saw."""
    for change in changes:
        found = change.tunable.read(machine)
        if not same_value(change.before, found):
            raise StalePlan(
                f"{change.tunable} was {shown(change.before)} when the plan was made and is {shown(found)} now; "
                "nothing was written, make a new plan"
            )


def shown(value: str | None) -> str:
    """A value as a sentence has it, secrets masked."""
    return "absent" if value is None else repr(mask(value))


def _steps(plan: Plan, machine: Machine) -> Iterator[Step]:
    """What is written at once; what kvmnb-root writes is one step, and one more for what lasts."""
    rooted = [one for one in plan.changes if needs_root(machine, one.tunable)]
    for lasts in (False, True):
        together = [one for one in rooted if one.tunable.lasts is lasts]
        if together:
            yield _step(together, rooted=True)
    for group in plan.groups():
        if group[0] not in rooted:
            yield _step(group)


def _step(group: Sequence[Change], *, rooted: bool = False) -> Step:
    return Step(
        values=tuple(Value(str(one.tunable), one.before, one.after) for one in group),
        undo=tuple(one.undo for one in group),
        lasting=group[0].tunable.lasts,
        rooted=rooted,
    )
