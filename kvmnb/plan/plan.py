"""A plan: what would change, from what to what, and why. It is data, and can be saved and reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import msgspec

from kvmnb import __version__
from kvmnb.advise.finding import Safety
from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.plan.check import Check, Outcome
from kvmnb.tunable import names
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.tunable import Tunable, Undo, When

SCHEMA = "kvmnb.plan/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One tunable's way from its value when the plan was made to the wanted one."""

    tunable: Tunable
    before: str | None
    after: str | None
    safety: Safety
    owner: str | None
    """Who else sets this, such as a TuneD profile; None where nobody is known to."""
    why: tuple[str, ...]
    """The ids of the rules that want it."""
    costs: tuple[str, ...] = ()
    """What it costs, each a sentence, from the findings that want it."""

    @property
    def when(self) -> When:
        """When the new value takes effect."""
        return self.tunable.when

    @property
    def undo(self) -> Undo:
        """How it is taken back."""
        return self.tunable.undo


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes that were chosen together; they are applied together or not at all."""

    id: str
    made_at: str
    kvmnb: str
    uri: str
    host_uuid: str | None
    machine: str
    """The kind of machine it was made on: live, demo, scratch, recorded."""
    domains: Mapping[str, str]
    """The UUID of each domain that it touches, by name."""
    changes: tuple[Change, ...]
    """In the order of their writing."""
    xml_diffs: Mapping[str, str]
    """One unified diff for each domain, secrets masked; text to read, never used."""
    commands: tuple[str, ...]
    """What an operator would type; text to read, never run."""
    notes: tuple[str, ...] = field(default=())
    """What the reader should know: wants left out, and why."""
    conflicts: tuple[str, ...] = field(default=())
    """Findings that were left out since they cannot be followed together with others, and why."""
    checks: tuple[Check, ...] = ()
    """What its preflight came to, gravest first; asked anew before it is applied."""
    command_lines: Mapping[str, str] = field(default_factory=dict)
    """One diff of QEMU's command line for each domain where the driver told it, secrets masked; text to read."""

    def groups(self) -> Iterator[tuple[Change, ...]]:
        """The changes as they are written: all XML of one domain as one define, any other alone."""
        for key, group in groupby(enumerate(self.changes), key=_writing_key):
            del key
            yield tuple(change for _, change in group)

    def __bool__(self) -> bool:
        return bool(self.changes)


def _writing_key(numbered: tuple[int, Change]) -> tuple[str, object]:
    number, change = numbered
    if isinstance(change.tunable, DomainXml):
        return ("domain_xml", change.tunable.uuid)
    return ("alone", number)


class HostPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The host that a plan was made on."""

    uuid: str | None
    machine: str


class ChangePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change, as a plan file holds it."""

    tunable: str
    before: str | None
    after: str | None
    when: When
    safety: Safety
    owner: str | None
    undo: Undo
    why: tuple[str, ...]
    costs: tuple[str, ...] = ()


class CheckPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question of the preflight, as a plan file holds it."""

    question: str
    subject: str
    outcome: Outcome
    said: str


class PlanPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan file: what ``kvmnb plan --json`` prints and ``kvmnb apply`` reads."""

    schema: str
    id: str
    made_at: str
    kvmnb: str
    uri: str
    host: HostPart
    domains: dict[str, str]
    changes: tuple[ChangePart, ...]
    xml_diffs: dict[str, str]
    commands: tuple[str, ...]
    conflicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[CheckPart, ...] = ()
    command_lines: dict[str, str] = {}


def to_document(plan: Plan) -> dict[str, Any]:
    """The plan as ``kvmnb plan --json`` prints it."""
    part = PlanPart(
        schema=SCHEMA,
        id=plan.id,
        made_at=plan.made_at,
        kvmnb=plan.kvmnb,
        uri=plan.uri,
        host=HostPart(plan.host_uuid, plan.machine),
        domains=dict(plan.domains),
        changes=tuple(
            ChangePart(
                str(one.tunable), one.before, one.after, one.when, one.safety, one.owner, one.undo, one.why, one.costs
            )
            for one in plan.changes
        ),
        xml_diffs=dict(plan.xml_diffs),
        commands=plan.commands,
        conflicts=plan.conflicts,
        notes=plan.notes,
        checks=tuple(CheckPart(one.question, one.subject, one.outcome, one.said) for one in plan.checks),
        command_lines=dict(plan.command_lines),
    )
    document: dict[str, Any] = codec.to_builtins(part)
    return document


def from_text(raw: bytes, what: str) -> Plan:
    """A saved plan; KvmnbError where it is none, or says of a tunable what the tunable does not."""
    part = codec.from_json(raw, PlanPart, what)
    if part.schema != SCHEMA:
        raise KvmnbError(f"{what} is of the form {part.schema[:40]!r}; this version reads {SCHEMA}")
    if not is_id(part.id):
        raise Refused(f"{what} has no plan id as kvmnb gives it")
    changes = []
    for one in part.changes:
        tunable = names.parse(one.tunable, part.domains)
        if (one.when, one.undo) != (tunable.when, tunable.undo):
            raise Refused(
                f"{what}: {one.tunable} takes effect at {tunable.when.value} and its undo is {tunable.undo.value}"
            )
        tunable.check(one.before)
        tunable.check(one.after)
        changes.append(
            Change(
                tunable=tunable,
                before=one.before,
                after=one.after,
                safety=one.safety,
                owner=one.owner,
                why=one.why,
                costs=one.costs,
            )
        )
    twice = {str(one.tunable) for one in changes}
    if len(twice) != len(changes):
        raise Refused(f"{what} changes one tunable twice")
    return Plan(
        id=part.id,
        made_at=part.made_at,
        kvmnb=part.kvmnb,
        uri=part.uri,
        host_uuid=part.host.uuid,
        machine=part.host.machine,
        domains=part.domains,
        changes=tuple(changes),
        xml_diffs=part.xml_diffs,
        commands=part.commands,
        notes=part.notes,
        conflicts=part.conflicts,
        checks=tuple(Check(one.question, one.subject, one.outcome, one.said) for one in part.checks),
        command_lines=part.command_lines,
    )


def new_id(now: datetime | None = None) -> str:
    """A plan id that sorts by time: ``20260131T235959-4f1c``."""
    import secrets

    moment = now or datetime.now(UTC)
    return f"{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{4}", text) is not None


def version() -> str:
    """The version that makes plans."""
    return __version__
