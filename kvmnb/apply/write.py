"""One step of a plan: written and read back, or taken back and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kvmnb.apply.journal import Journal, Record, Value
from kvmnb.core.errors import DomainGone, StalePlan, WriteFailed
from kvmnb.core.xml import Reversal
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change
from kvmnb.tunable import names
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml, define, edited, reverted, same_value
from kvmnb.tunable.tunable import Tunable


def refuse_stale(changes: Sequence[Change], machine: Machine) -> None:
    """Raise StalePlan where a tunable no longer has the value that the plan saw."""
    for change in changes:
        found = change.tunable.read(machine)
        if not same_value(change.before, found):
            raise StalePlan(
                f"{change.tunable} was {_shown(change.before)} when the plan was made and is {_shown(found)} now; "
                "nothing was written, make a new plan"
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


def write_step(number: int, group: Sequence[Change], machine: Machine, journal: Journal) -> None:
    """Announce a step, write it, read it back; WriteFailed where the value did not hold."""
    refuse_stale(group, machine)
    values = tuple(Value(str(one.tunable), one.before, one.after) for one in group)
    first = group[0].tunable
    if isinstance(first, DomainXml):
        before = machine.libvirt.xml(first.uuid, Layer.PERSISTENT)
        result = edited(before, [(one.tunable, one.after) for one in group if isinstance(one.tunable, DomainXml)])
        journal.append("write", step=number, values=values, reversal=result.reversal)
        define(machine, first.uuid, result.text)
    else:
        journal.append("write", step=number, values=values)
        first.write(machine, group[0].after)
    for change in group:
        _expect(change.tunable, change.after, machine, "was written")
    journal.append("written", step=number)


def take_back(record: Record, machine: Machine, journal: Journal, *, take_drifted: bool) -> None:
    """Take back one announced step, where it stands; StalePlan where something else changed it since."""
    assert record.step is not None
    tunables = [(names.parse(value.tunable, journal.opening.domains), value) for value in record.values]
    found = [(tunable, value, tunable.read(machine)) for tunable, value in tunables]
    if all(_is_before(tunable, value, now) for tunable, value, now in found):
        # A kill came between the announcement and the deed, or somebody took it back by hand.
        journal.append("taken_back", step=record.step, word="it did not stand")
        return
    for tunable, value, now in found:
        if not _holds(tunable, value.after, now, machine) and not _is_before(tunable, value, now) and not take_drifted:
            raise StalePlan(
                f"{tunable} was set to {_shown(value.after)} and is {_shown(now)} now, so something else changed it; "
                "it was left alone (--take-drifted takes it back all the same)"
            )
    journal.append("take_back", step=record.step)
    first = tunables[0][0]
    if isinstance(first, DomainXml):
        _take_back_xml(first, record.reversal or Reversal(), machine)
    else:
        first.write(machine, tunables[0][1].before)
    for tunable, value in tunables:
        _expect(tunable, value.before, machine, "was taken back")
    journal.append("taken_back", step=record.step)


def _take_back_xml(tunable: DomainXml, reversal: Reversal, machine: Machine) -> None:
    now = machine.libvirt.xml(tunable.uuid, Layer.PERSISTENT)
    define(machine, tunable.uuid, reverted(now, reversal))


def _is_before(tunable: Tunable, value: Value, now: str | None) -> bool:
    # A live pin of a guest that stopped is gone with its process; its next start reads the XML.
    if isinstance(tunable, DomainLive) and now is None:
        return True
    return same_value(value.before, now)


def _holds(tunable: Tunable, value: str | None, found: str | None, machine: Machine) -> bool:
    return same_value(value, found) or (isinstance(tunable, DomainXml) and tunable.holds(machine, value))


def _expect(tunable: Tunable, value: str | None, machine: Machine, deed: str) -> None:
    found = tunable.read(machine)
    if not _holds(tunable, value, found, machine):
        raise WriteFailed(f"{tunable} {deed} as {_shown(value)}, and reads {_shown(found)}")


def _shown(value: str | None) -> str:
    from kvmnb.core.xml.mask import mask

    return "absent" if value is None else repr(mask(value))
