"""Wants to a plan: what already holds is dropped, what disagrees is refused, the rest is put in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from kvmnb.advise.finding import Finding, Safety
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.diff import unified
from kvmnb.core.errors import Conflict, DomainGone, KvmnbError, Refused, XmlError
from kvmnb.core.xml import Document
from kvmnb.core.xml.mask import mask
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.judge import schema_problem
from kvmnb.machine.machine import Machine
from kvmnb.plan.owner import Owners
from kvmnb.plan.plan import Change, Plan, new_id, version
from kvmnb.tunable.domain_xml import DomainXml, edited, holds_in, same_value, value_in
from kvmnb.tunable.neighbours import reset_by
from kvmnb.tunable.running_guest import RunningGuest
from kvmnb.tunable.tunable import Tunable, Want

# A wanted value, how safe it is, the rules that want it, and what it costs.
_Reasons = tuple[str | None, Safety, tuple[str, ...], tuple[str, ...]]
# The graver safety wins where several findings want one change.
_GRAVER = (Safety.SAFE, Safety.DISRUPTIVE, Safety.MANUAL)


def build(findings: Iterable[Finding], machine: Machine, host_uuid: str | None, *, live_only: bool = False) -> Plan:
    """The plan that follows these findings on this machine.

    A host setting comes with its lasting form, unless ``live_only`` asks for what the next boot takes back.
    MANUAL findings give no change; their commands are listed. Raises Conflict where two wants disagree, and
    KvmnbError where a present value cannot be read.
    """
    chosen = list(findings)
    wanted = _merged(chosen)
    records = {record.name: record for record in machine.hypervisor.domains()} if machine.hypervisor else {}
    texts: dict[str, Document] = {}
    changes: list[Change] = []
    notes: list[str] = []
    owners = Owners(machine.files)
    pending = list(wanted.items())
    while pending:
        tunable, reasons = pending.pop(0)
        value, safety, why, costs = reasons
        if isinstance(tunable, DomainXml | RunningGuest):
            record = records.get(tunable.domain)
            if record is None or record.uuid != tunable.uuid:
                raise DomainGone(f"planning {tunable}: the domain {tunable.domain!r} is no longer there; audit again")
            if isinstance(tunable, DomainXml) and not record.persistent:
                notes.append(f"{tunable} is left out: the guest is transient, so nothing outlives its end")
                continue
        before, holds = _present(tunable, value, machine, texts)
        if holds:
            continue
        tunable.check(value)
        try:
            tunable.check(before)
        except Refused as problem:
            notes.append(f"{tunable} is left out, since its present value could not be put back: {problem}")
            continue
        changes.append(
            Change(
                tunable=tunable,
                before=before,
                after=value,
                safety=safety,
                owner=owners.of(tunable),
                why=why,
                costs=costs,
            )
        )
        if not isinstance(tunable, DomainXml | RunningGuest) and not tunable.lasts and not live_only:
            twin = _twin(tunable, value, machine)
            if isinstance(twin, str):
                notes.append(f"{tunable} holds until the next boot: {twin}")
            elif twin.tunable not in wanted:
                pending.append((twin.tunable, (twin.value, safety, why, costs)))
    ordered = _in_order(changes)
    _refuse_shared_cpus(ordered)
    by_hand = tuple(
        f"{line}  # {finding.id}, {finding.subject}"
        for finding in chosen
        if finding.safety is Safety.MANUAL
        for line in finding.by_hand
    )
    return Plan(
        id=new_id(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        kvmnb=version(),
        uri=machine.hypervisor.uri if machine.hypervisor is not None else machine.origin,
        host_uuid=host_uuid,
        machine=machine.kind,
        domains={
            one.tunable.domain: one.tunable.uuid for one in ordered if isinstance(one.tunable, DomainXml | RunningGuest)
        },
        changes=ordered,
        xml_diffs=_diffs(ordered, texts),
        commands=tuple(one.tunable.command(one.after) for one in ordered) + by_hand,
        notes=tuple(notes),
    )


def edited_texts(plan: Plan, machine: Machine) -> dict[str, tuple[str, str]]:
    """Each touched domain's persistent XML before and after, secrets included: not for showing."""
    found = {}
    for group in plan.groups():
        tunable = group[0].tunable
        if isinstance(tunable, DomainXml):
            before = machine.libvirt.xml(tunable.uuid, Layer.PERSISTENT)
            found[tunable.domain] = (before, _edited(before, group))
    return found


def _merged(findings: Sequence[Finding]) -> dict[Tunable, _Reasons]:
    merged: dict[Tunable, _Reasons] = {}
    for finding in findings:
        if finding.safety is Safety.MANUAL:
            continue
        for want in finding.wants:
            merged[want.tunable] = _joined(merged.get(want.tunable), want, finding)
    return merged


def _twin(live: Tunable, value: str | None, machine: Machine) -> Want | str:
    """The lasting form of a live host setting, or why it has none here."""
    twin = live.lasting(value)
    if twin is None:
        return "kvmnb writes no lasting form of it; set it where it is configured"
    try:
        twin.tunable.read(machine)
    except KvmnbError as problem:
        return str(problem)
    return twin


def _joined(known: _Reasons | None, want: Want, finding: Finding) -> _Reasons:
    if known is None:
        return (want.value, finding.safety, (finding.id,), finding.costs)
    value, safety, why, costs = known
    if not same_value(want.value, value):
        raise Conflict(
            f"{want.tunable} is wanted as {value!r} by {', '.join(why)} and as {want.value!r} by {finding.id}; "
            "choose one of the findings"
        )
    graver = max(safety, finding.safety, key=_GRAVER.index)
    return (
        value,
        graver,
        (*why, finding.id) if finding.id not in why else why,
        costs + tuple(cost for cost in finding.costs if cost not in costs),
    )


def _present(
    tunable: Tunable, wanted: str | None, machine: Machine, texts: dict[str, Document]
) -> tuple[str | None, bool]:
    """The present value, and whether it is the wanted one; a domain's XML is read once for all its changes."""
    if not isinstance(tunable, DomainXml):
        found = tunable.read(machine)
        return found, same_value(wanted, found)
    if tunable.uuid not in texts:
        texts[tunable.uuid] = Document.parse(machine.libvirt.xml(tunable.uuid, Layer.PERSISTENT))
    document = texts[tunable.uuid]
    try:
        return value_in(document, tunable.path), holds_in(document, tunable.path, wanted)
    except XmlError as problem:
        raise XmlError(f"planning {tunable}: {problem}") from problem


def _in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes as they are written; what another one's write resets comes after that one."""
    reset = {other for change in changes for other in reset_by(change.tunable)}
    return tuple(
        sorted(changes, key=lambda change: (*_order(change)[:1], change.tunable in reset, *_order(change)[1:]))
    )


def _order(change: Change) -> tuple[int, str, int]:
    """The host first, then what runs, then what outlives a boot."""
    tunable = change.tunable
    if isinstance(tunable, DomainXml):
        return (3, tunable.domain, 0)
    if isinstance(tunable, RunningGuest):
        return (1, tunable.domain, tunable.rank)
    return (2 if tunable.lasts else 0, str(tunable), 0)


def _refuse_shared_cpus(changes: Sequence[Change]) -> None:
    """No plan pins two vCPUs to one CPU."""
    taken: dict[tuple[str, int], Change] = {}
    for change in changes:
        tunable = change.tunable
        if "vcpupin[" not in str(tunable) or change.after is None:
            continue
        cpus = CpuSet.parse(change.after)
        if len(cpus) != 1:
            continue
        other = taken.setdefault((tunable.kind, cpus.first), change)
        if other is not change:
            raise Conflict(
                f"{other.tunable} and {tunable} would both be pinned to CPU {cpus}; choose one of the guests"
            )


def _diffs(changes: Sequence[Change], texts: dict[str, Document]) -> dict[str, str]:
    diffs: dict[str, str] = {}
    by_domain: dict[str, list[Change]] = {}
    for change in changes:
        if isinstance(change.tunable, DomainXml):
            by_domain.setdefault(change.tunable.domain, []).append(change)
    for name, group in by_domain.items():
        tunable = group[0].tunable
        assert isinstance(tunable, DomainXml)
        before = texts[tunable.uuid].text
        after = _edited(before, group)
        # A domain that the schema refuses already (an unknown extension) is not ours to judge.
        problem = schema_problem(after)
        if problem is not None and schema_problem(before) is None:
            raise XmlError(f"planning domain {name!r}: libvirt's schema refuses the edited XML: {problem}")
        diffs[name] = unified(mask(before), mask(after), name)
    return diffs


def _edited(text: str, group: Sequence[Change]) -> str:
    values = [(one.tunable, one.after) for one in group if isinstance(one.tunable, DomainXml)]
    return edited(text, values).text
