"""The JSON documents that verbs print; their schemas stand in ``docs/schemas``.

The plan's document is the plan file itself and lives in ``kvmnb.plan.plan``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kvmnb.advise.conflicts import Conflict
from kvmnb.advise.finding import Effect, Finding, Safety, Severity, Sure
from kvmnb.advise.folklore import Myth
from kvmnb.advise.mute import Muted
from kvmnb.advise.registry import Audit, rules
from kvmnb.advise.rule import Rule
from kvmnb.advise.voice import Tone
from kvmnb.apply.journal import Journal
from kvmnb.core import codec
from kvmnb.core.xml import mask
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap
from kvmnb.facts.host import Host
from kvmnb.facts.load import Load
from kvmnb.measure.diagnose.diagnosis import Diagnosis
from kvmnb.measure.neighbours import Matrix, name_in
from kvmnb.measure.series import Frame
from kvmnb.measure.usage import Usages
from kvmnb.plan.plan import Change
from kvmnb.probe.survey import Survey
from kvmnb.share.diff import FactChange, FindingChange
from kvmnb.tunable.tunable import State, Verdict, When


class FactsDocument(msgspec.Struct, frozen=True):
    """``kvmnb facts --json``."""

    schema: str
    host: Host
    domains: tuple[Domain, ...]
    gaps: tuple[Gap, ...]
    warnings: tuple[Gap, ...]
    load: Load | None = None


class WantPart(msgspec.Struct, frozen=True):
    """One want of a finding."""

    tunable: str
    value: str | None


class FindingPart(msgspec.Struct, frozen=True):
    """One finding."""

    id: str
    subject: str
    severity: Severity
    effect: Effect
    title: str
    saw: str
    sure: Sure
    safety: Safety
    when: When
    wants: tuple[WantPart, ...]
    costs: tuple[str, ...]
    by_hand: tuple[str, ...]
    note: str | None
    sources: tuple[str, ...]
    rests_on: tuple[str, ...]


class MutedPart(msgspec.Struct, frozen=True):
    """One finding that a person muted."""

    id: str
    subject: str
    severity: Severity
    reason: str
    until: str | None


class NotCheckedPart(msgspec.Struct, frozen=True):
    """One rule that could not judge a subject."""

    id: str
    subject: str
    reason: str


class SidePart(msgspec.Struct, frozen=True):
    """One finding of a conflict."""

    id: str
    subject: str


class ConflictPart(msgspec.Struct, frozen=True):
    """Two findings that cannot both be followed."""

    follow: SidePart
    waits: SidePart
    about: str
    resolution: str
    reason: str


class AuditDocument(msgspec.Struct, frozen=True):
    """``kvmnb audit --json``."""

    schema: str
    goal: str
    findings: tuple[FindingPart, ...]
    not_checked: tuple[NotCheckedPart, ...]
    conflicts: tuple[ConflictPart, ...] = ()
    muted: tuple[MutedPart, ...] = ()


class RulePart(msgspec.Struct, frozen=True):
    """One rule of the catalogue."""

    id: str
    title: str
    area: str
    severity: Severity
    goals: tuple[str, ...]
    file: str


class EffectPart(msgspec.Struct, frozen=True):
    """What following a rule is expected to bring, and what that rests on."""

    size: Effect
    basis: str


class RulesDocument(msgspec.Struct, frozen=True):
    """``kvmnb rules --json``."""

    schema: str
    rules: tuple[RulePart, ...]


class ThresholdPart(msgspec.Struct, frozen=True):
    """One threshold of a rule."""

    name: str
    default: float
    unit: str
    least: float
    most: float
    meaning: str
    basis: str
    source: str


class VoicePart(msgspec.Struct, frozen=True):
    """How a rule speaks for one goal or overlay."""

    aim: str
    tone: Tone
    severity: Severity | None
    why: str


class RuleDocument(msgspec.Struct, frozen=True):
    """``kvmnb rule ID --json``."""

    schema: str
    rule: RulePart
    basis: str
    effect: EffectPart
    text: dict[str, str]
    thresholds: tuple[ThresholdPart, ...]
    voices: tuple[VoicePart, ...]


class MythPart(msgspec.Struct, frozen=True):
    """One myth."""

    id: str
    title: str
    file: str


class MythsDocument(msgspec.Struct, frozen=True):
    """``kvmnb myths --json``."""

    schema: str
    myths: tuple[MythPart, ...]


class MythDocument(msgspec.Struct, frozen=True):
    """``kvmnb myth ID --json``."""

    schema: str
    myth: MythPart
    text: dict[str, str]


class VerdictPart(msgspec.Struct, frozen=True):
    """One change and whether it is in force."""

    tunable: str
    state: State
    found: str | None
    expected: str | None
    reason: str


class VerifyDocument(msgspec.Struct, frozen=True):
    """``kvmnb verify --json``."""

    schema: str
    changes: tuple[VerdictPart, ...]


class JournalPart(msgspec.Struct, frozen=True):
    """One journal."""

    id: str
    at: str
    state: str
    machine: str
    origin: str
    changes: tuple[str, ...]
    standing: tuple[str, ...]


class JournalDocument(msgspec.Struct, frozen=True):
    """``kvmnb journal --json``."""

    schema: str
    journals: tuple[JournalPart, ...]


class RecordDocument(msgspec.Struct, frozen=True):
    """``kvmnb record --json``."""

    schema: str
    path: str
    files: int
    bytes: int
    dropped: tuple[str, ...]


class ReportDocument(msgspec.Struct, frozen=True):
    """``kvmnb report --json``."""

    schema: str
    path: str
    bytes: int
    sections: tuple[str, ...]
    names: bool


class DiffDocument(msgspec.Struct, frozen=True):
    """``kvmnb diff --json``."""

    schema: str
    differs: bool
    facts: tuple[FactChange, ...]
    guests_added: tuple[str, ...]
    guests_removed: tuple[str, ...]
    guests_changed: tuple[str, ...]
    findings: tuple[FindingChange, ...]


class SymptomPart(msgspec.Struct, frozen=True):
    """One pattern of slowness that was found."""

    id: str
    subject: str
    severity: Severity
    title: str
    saw: str
    culprits: tuple[str, ...]
    answers: tuple[str, ...]
    refuted_by: str
    sources: tuple[str, ...]


class WaitPart(msgspec.Struct, frozen=True):
    """What one who takes the CPU causes to one guest that waits for it."""

    uuid: str
    """Of the guest that waits."""
    guest: str
    """Its name; its UUID where no name is known."""
    culprit: str
    """``guest``, ``vhost worker``, ``process``, ``kernel thread``, ``interrupts``, ``hypervisor below``, ``own quota``
    or ``unknown``."""
    name: str
    """The name of the culprit; empty where there is but one of its kind."""
    seconds_per_second: float
    """Run delay that it causes."""


class NeighboursPart(msgspec.Struct, frozen=True):
    """Who takes whose CPU."""

    looks: int
    unknown_share: float
    """Of all waits, what could be given to nobody."""
    waits: tuple[WaitPart, ...]
    gaps: tuple[str, ...]
    """What could not be seen; where nothing could, why."""


class DiagnoseDocument(msgspec.Struct, frozen=True):
    """``kvmnb diagnose --json``."""

    schema: str
    seconds: float
    findings: tuple[SymptomPart, ...]
    not_checked: tuple[NotCheckedPart, ...]
    neighbours: NeighboursPart | None
    """null where nobody looked."""


class ValuePart(msgspec.Struct, frozen=True):
    """One value of one series."""

    metric: str
    uuid: str
    """The guest's UUID; empty for the host."""
    guest: str | None
    """The guest's name; None for the host and where it is not known."""
    part: int | str
    value: float


class WatchDocument(msgspec.Struct, frozen=True):
    """One line of ``kvmnb watch``."""

    schema: str
    at: float
    values: tuple[ValuePart, ...]
    gaps: dict[str, str]
    events: tuple[str, ...]


class UsagePart(msgspec.Struct, frozen=True):
    """What one guest takes; null: not read, and ``gap`` says why where that is known."""

    uuid: str
    name: str
    cpu_seconds_per_second: float | None
    run_delay_seconds_per_second: float | None
    disk_requests_per_second: float | None
    disk_bytes_read_per_second: float | None
    disk_bytes_written_per_second: float | None
    disk_latency_seconds: float | None
    network_bytes_in_per_second: float | None
    network_bytes_out_per_second: float | None
    network_drops_per_second: float | None
    memory_bytes: float | None
    gap: str | None


class TopDocument(msgspec.Struct, frozen=True):
    """``kvmnb top --json``."""

    schema: str
    at: float
    """When it was read, in seconds since the epoch; 0 where nothing came."""
    sort: str
    guests: tuple[UsagePart, ...]


DOCUMENTS: dict[str, type] = {
    "facts": FactsDocument,
    "audit": AuditDocument,
    "rules": RulesDocument,
    "rule": RuleDocument,
    "myths": MythsDocument,
    "myth": MythDocument,
    "verify": VerifyDocument,
    "journal": JournalDocument,
    "record": RecordDocument,
    "report": ReportDocument,
    "diff": DiffDocument,
    "diagnose": DiagnoseDocument,
    "watch": WatchDocument,
    "top": TopDocument,
}


def facts_document(survey: Survey, load: Load | None) -> FactsDocument:
    """The facts of one survey, and the rates of a window where they were asked for."""
    gaps = survey.gaps + (load.gaps() if load is not None else ())
    return FactsDocument("kvmnb.facts/1", survey.host, survey.domains, gaps, survey.warnings, load)


def audit_document(audit: Audit) -> AuditDocument:
    """What an audit found; secrets in values masked."""
    return AuditDocument(
        "kvmnb.audit/1",
        str(audit.aim),
        tuple(_finding(one) for one in audit.findings),
        tuple(NotCheckedPart(one.id, one.subject, one.reason) for one in audit.not_checked),
        tuple(_conflict(one) for one in audit.conflicts),
        tuple(_muted(one) for one in audit.muted),
    )


def rules_document() -> RulesDocument:
    """All rules."""
    return RulesDocument("kvmnb.rules/1", tuple(rule_part(one.id) for one in rules()))


def rule_part(rule_id: str) -> RulePart:
    """One rule's line in the catalogue."""
    from kvmnb.advise.registry import rule

    one = rule(rule_id)
    file = one.module.replace(".", "/") + ".py"
    return RulePart(one.id, one.title, one.area, one.severity, tuple(goal.value for goal in one.goals), file)


def myth_part(one: Myth) -> MythPart:
    """One myth's line in the list."""
    return MythPart(one.name, one.title, one.module.replace(".", "/") + ".py")


def rule_document(one: Rule) -> RuleDocument:
    """One rule explained."""
    _title, text = one.text
    thresholds = tuple(
        ThresholdPart(each.name, each.default, each.unit, each.least, each.most, each.meaning, each.basis, each.source)
        for each in one.thresholds
    )
    voices = tuple(VoicePart(aim.value, each.tone, each.severity, each.why) for aim, each in one.voices.items())
    effect = EffectPart(one.effect, one.effect_basis)
    return RuleDocument("kvmnb.rule/1", rule_part(one.id), one.basis, effect, text, thresholds, voices)


def verify_document(verified: tuple[tuple[Change, Verdict], ...]) -> VerifyDocument:
    """The verdict on each change."""
    return VerifyDocument(
        "kvmnb.verify/1",
        tuple(
            VerdictPart(
                str(one.tunable), verdict.state, masked(verdict.found), masked(verdict.expected), verdict.reason
            )
            for one, verdict in verified
        ),
    )


def journal_part(journal: Journal) -> JournalPart:
    """One journal's line in the list."""
    return JournalPart(
        id=journal.id,
        at=journal.records[0].at,
        state=journal.state,
        machine=journal.opening.machine,
        origin=journal.opening.origin,
        changes=tuple(value.tunable for value in journal.announced()),
        standing=tuple(value.tunable for one in journal.standing() for value in one.values),
    )


def masked(value: str | None) -> str | None:
    """A value with its secrets masked, for showing."""
    return None if value is None else mask(value)


def schema_of(verb: str) -> dict[str, Any]:
    """The JSON schema of a verb's document.

    Of a fact no field is required: one that could not be read is left out and stands under ``gaps``.
    """
    from kvmnb.core.cpuset import CpuSet
    from kvmnb.plan.plan import PlanPart

    def hook(kind: type) -> dict[str, Any]:
        assert kind is CpuSet, f"{kind} needs a word in the schema"
        return {"type": "string", "description": "a kernel list such as 0-3,8"}

    kind = PlanPart if verb == "plan" else DOCUMENTS[verb]
    schema: dict[str, Any] = msgspec.json.schema(kind, schema_hook=hook)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"kvmnb.{verb}/1"
    if verb == "facts":
        for name, part in schema["$defs"].items():
            if name not in ("FactsDocument", "Gap"):
                part.pop("required", None)
    return schema


def watch_document(frame: Frame, names: Mapping[str, str]) -> WatchDocument:
    """One frame; ``names`` are the guests' by UUID."""
    values = tuple(
        ValuePart(series.metric, series.guest, names.get(series.guest), series.part, value)
        for series, value in frame.values.items()
    )
    return WatchDocument("kvmnb.watch/1", frame.at, values, dict(frame.gaps), tuple(one.text for one in frame.events))


def top_document(usages: Usages, sort: str) -> TopDocument:
    """The guests of a table, in its order."""
    rows = tuple(
        UsagePart(
            one.uuid,
            one.name,
            one.cpu,
            one.run_delay,
            one.disk_requests,
            one.disk_bytes_read,
            one.disk_bytes_written,
            one.disk_latency,
            one.network_bytes_in,
            one.network_bytes_out,
            one.network_drops,
            one.memory_bytes,
            one.gap,
        )
        for one in usages.rows(sort)
    )
    return TopDocument("kvmnb.top/1", usages.at, sort, rows)


def diagnose_document(found: Diagnosis) -> DiagnoseDocument:
    """What a diagnosis found."""
    symptoms = tuple(
        SymptomPart(
            one.id,
            one.subject,
            one.severity,
            one.title,
            one.saw,
            one.culprits,
            one.answers,
            one.refuted_by,
            one.sources,
        )
        for one in found.symptoms
    )
    unjudged = tuple(NotCheckedPart(one.id, one.subject, one.reason) for one in found.not_checked)
    neighbours = _neighbours(found)
    return DiagnoseDocument("kvmnb.diagnose/1", round(found.seconds, 1), symptoms, unjudged, neighbours)


def _neighbours(found: Diagnosis) -> NeighboursPart | None:
    matrix = found.neighbours
    if not isinstance(matrix, Matrix):
        return None if matrix is None else NeighboursPart(0, 0.0, (), (matrix.reason,))
    names = {**dict(found.guests), **matrix.guests}
    waits = tuple(
        WaitPart(victim, names.get(victim, victim), who.kind.value, name_in(names, who), round(rate, 4))
        for victim in matrix.victims
        for who, rate in matrix.of(victim)
    )
    return NeighboursPart(matrix.looks, round(matrix.unknown_share, 4), waits, matrix.gaps)


def print_document(document: object) -> None:
    """Print one JSON document."""
    print(codec.to_json(document, indent=1))


def _conflict(one: Conflict) -> ConflictPart:
    return ConflictPart(
        follow=SidePart(one.followed.id, one.followed.subject),
        waits=SidePart(one.waits.id, one.waits.subject),
        about=mask(one.about),
        resolution=one.resolution,
        reason=one.reason,
    )


def _muted(one: Muted) -> MutedPart:
    until = one.mute.until.isoformat() if one.mute.until is not None else None
    return MutedPart(one.finding.id, one.finding.subject, one.finding.severity, one.mute.reason, until)


def _finding(one: Finding) -> FindingPart:
    return FindingPart(
        id=one.id,
        subject=one.subject,
        severity=one.severity,
        effect=one.effect,
        title=one.title,
        saw=one.saw,
        sure=one.sure,
        safety=one.safety,
        when=one.when,
        wants=tuple(WantPart(str(want.tunable), masked(want.value)) for want in one.wants),
        costs=one.costs,
        by_hand=one.by_hand,
        note=one.note,
        sources=one.sources,
        rests_on=one.rests_on,
    )
