"""The parts of a report, drawn from a machine whose names are stand-ins already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kvmnb.advise import registry
from kvmnb.advise.intent import Intent
from kvmnb.advise.registry import Audit
from kvmnb.advise.view import View
from kvmnb.core import codec
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.gap import NotSeen
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.plan.build import build
from kvmnb.plan.plan import Plan
from kvmnb.plan.preflight import checked
from kvmnb.probe.closer import with_images, with_memory
from kvmnb.probe.load import recorded_load
from kvmnb.probe.survey import Survey, probe
from kvmnb.share.deeds import Deeds
from kvmnb.share.diff import Difference, flatten
from kvmnb.show import drawing, template
from kvmnb.show.cards import audit, deeds, difference, domain, facts_table, guest_xml, host, plan
from kvmnb.show.charts.host_map import HostMap
from kvmnb.show.charts.run_and_wait import RunAndWait
from kvmnb.show.document import Section
from kvmnb.show.drawing import Drawing

# Numbers that stand still for nobody, and tables of a row for each CPU.
_NO_CONFIGURATION = re.compile(
    r"host\.(?:cpus|interrupts|softnet)\b.*|host\.(?:nics\[.*\]|numa_nodes\[\d+\])\.(?:counters|statistics)\b.*"
    r"|host\.nics\[.*\]\.(?:ethtool\.)?features\b.*|host\.hypervisor\.uri"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A machine's facts, what the rules say of it, and the plan that costs nothing."""

    survey: Survey
    audit: Audit
    plan: Plan


def judged(machine: Machine, intent: Intent) -> Judged:
    """Probe and audit a machine, and plan what is SAFE."""
    survey = with_memory(with_images(probe(machine), machine), machine)
    found = registry.audit(survey.host, survey.domains, intent, load=recorded_load(machine))
    try:
        uuid = survey.host.uuid
    except NotSeen:
        uuid = None
    return Judged(survey, found, checked(build(found.safe, machine, uuid), machine, survey))


def sections(
    machine: Machine,
    intent: Intent,
    found: Judged,
    journals: Sequence[Deeds],
    series: RunAndWait | str,
    since: tuple[str, Difference] | None,
) -> Iterator[Section]:
    """All sections in the order of reading; ``series`` may be the sentence that says why there are none."""
    survey = found.survey
    yield Section("host", "The host", "What it is, and where each value was read.", host.html(survey.host))
    yield Section("map", "Topology", "Which guest's vCPU may run on which CPU.", _map(survey, intent))
    yield Section("guests", "The guests", "As they run now, and as their next start reads.", _guests(machine, survey))
    yield Section(
        "findings",
        "Findings",
        "What the rules found, with what was seen and why it hurts. What could not be judged is listed too.",
        audit.html(found.audit),
    )
    yield Section(
        "plan",
        "What could be done at no cost",
        "A preview of all SAFE findings together. Nothing of it was written by this report.",
        plan.html(found.plan),
    )
    yield Section("journal", "What was changed", "Each change that was made with kvmnb here.", deeds.fragment(journals))
    drawn = (
        series if isinstance(series, str) else drawing.html(Drawing(series.figure(), series.sentence(), series.table()))
    )
    yield Section("series", "How it ran", "The guests' vCPUs over a short time.", drawn)
    if since is not None:
        made_at, differs = since
        yield Section(
            "since", f"What differs since {made_at}", "Facts, guests and findings.", difference.fragment(differs)
        )
    facts = {name: value for name, value in _facts(survey) if not _NO_CONFIGURATION.fullmatch(name)}
    yield Section(
        "facts", "Facts to look up", "Under the names that `` kvmnb facts --json`` has.", facts_table.fragment(facts)
    )


def _facts(survey: Survey) -> Iterator[tuple[str, str | int | float | bool | None]]:
    yield from flatten("host", codec.to_builtins(survey.host))


def _map(survey: Survey, intent: Intent) -> str:
    try:
        housekeeping = View(survey.host, survey.domains, intent).placement.housekeeping
    except NotSeen:
        housekeeping = CpuSet()
    chart = HostMap(survey.host, survey.domains, housekeeping)
    try:
        figure = chart.figure()
    except NotSeen:
        return template.fragment("note", text=chart.sentence())
    return drawing.html(Drawing(figure, chart.sentence(), chart.table()))


def _guests(machine: Machine, survey: Survey) -> str:
    parts = [domain.table(survey.domains)]
    parts += [template.fragment("folded", title=f"Guest {one.name}", html=domain.html(one)) for one in survey.domains]
    texts = []
    for one in survey.domains:
        try:
            texts.append((one.name, machine.libvirt.xml(one.uuid, Layer.PERSISTENT)))
        except KvmnbError:
            continue
    return "\n".join([*parts, guest_xml.fragment(texts)])
