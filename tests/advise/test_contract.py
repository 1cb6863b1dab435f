"""What every rule keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.advise.finding import Finding, Safety
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import Audit, audit, rules
from kvmnb.advise.rule import HEADINGS, Rule
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.machine.sources import recorded
from kvmnb.probe.survey import probe
from tests.advise.unseen import findings_lost
from tests.builders import a_guest, a_host, a_policy, cells, topology

TESTS = Path(__file__).parent
HOSTS = TESTS.parent / "hosts"
FIRST_THIRTEEN = {
    "cpu.freq.governor", "cpu.mode", "cpu.overcommit", "cpu.pin.emulator", "cpu.pin.iothread", "cpu.pin.overlap",
    "cpu.pin.siblings", "cpu.pin.vcpu", "cpu.topology.match", "cpu.vcpu.oversized", "numa.cell_memory", "numa.fit",
    "numa.strict",
}  # fmt: skip

every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
every_goal = pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)


def file_of(rule: Rule) -> tuple[str, str]:
    """The folder and the file that a rule's id leads to: ``cpu.pin.vcpu`` to ``cpu``, ``pin_vcpu``."""
    area, _, rest = rule.id.partition(".")
    return area, rest.replace(".", "_")


def recordings() -> list[Path]:
    """Every recorded host, the shipped one first."""
    from kvmnb import demo

    found = sorted(path.parent for path in HOSTS.glob("*/recording.json")) if HOSTS.is_dir() else []
    return [demo.path(), *found]


def test_the_first_thirteen_rules_are_found() -> None:
    assert {rule.id for rule in rules()} >= FIRST_THIRTEEN


@every_rule
def test_an_id_leads_to_its_file_and_its_test(rule: Rule) -> None:
    area, name = file_of(rule)
    assert rule.module == f"kvmnb.advise.{area}.{name}"
    assert (TESTS / area / f"test_{name}.py").is_file()


@every_rule
def test_every_heading_is_filled(rule: Rule) -> None:
    title, found = rule.text
    assert title.endswith(".")
    assert len(title) > 20
    assert tuple(found) == HEADINGS
    for heading, text in found.items():
        assert len(text) > 20, f"{heading}: {text!r}"
    assert all(line.startswith("* ") for line in found["Sources"].splitlines())
    assert rule.sources
    assert rule.goals
    assert rule.basis


@every_rule
def test_the_expected_effect_says_what_it_rests_on(rule: Rule) -> None:
    basis, colon, told = rule.effect_basis.partition(": ")
    assert colon
    assert basis.split()[0] in {"documented", "source", "tested", "heuristic"}
    assert len(told) > 15


@every_rule
def test_cost_speaks_of_durability_migration_and_security(rule: Rule) -> None:
    cost = rule.text[1]["Cost"].lower()
    for word in ("durability", "migration", "security"):
        assert word in cost


@every_goal
def test_no_rule_raises_on_a_recorded_host(goal: Goal) -> None:
    for folder in recordings():
        survey = probe(recorded(folder))
        result = audit(survey.host, survey.domains, Intent(goal=goal))
        for finding in result.findings:
            well_formed(finding)


def well_formed(finding: Finding) -> None:
    """A finding says what it saw; its safety, costs, wants and hand-work agree."""
    assert finding.saw
    if finding.safety is Safety.DISRUPTIVE:
        assert finding.costs
    if finding.safety is Safety.MANUAL:
        assert not finding.wants
        assert finding.by_hand
    else:
        assert finding.wants
        assert not finding.by_hand
    names = [str(want.tunable) for want in finding.wants]
    assert len(names) == len(set(names))


@every_goal
def test_two_rules_that_want_the_same_want_the_same_value(goal: Goal) -> None:
    for folder in recordings():
        survey = probe(recorded(folder))
        agreeing(audit(survey.host, survey.domains, Intent(goal=goal)))


def agreeing(result: Audit) -> None:
    """No tunable is wanted with two values."""
    wanted: dict[str, dict[str | None, str]] = {}
    for finding in result.findings:
        for want in finding.wants:
            wanted.setdefault(str(want.tunable), {})[want.value] = finding.id
    assert not {name: by for name, by in wanted.items() if len(by) > 1}


def a_scene_where_much_fires() -> tuple[Host, list[Domain]]:
    host = a_host(nodes=2, cores=3, threads=2, frequency=a_policy("acpi-cpufreq", "ondemand", epp="power"))
    guests = [
        a_guest("siblings", vcpus=2, pins={0: "1", 1: "7"}, emulator="1", iothreads=1),
        a_guest("overlaps", vcpus=2, pins={0: "1", 1: "4", 7: "2"}, iothreads=1, cpu=""),
        a_guest("large", vcpus=7, windows=True, memory_gib=4, cpu=cells(("0-5", 1), ("6", 1))),
        a_guest("wide", vcpus=13, cpu=topology(1, 8, 2)),
    ]
    return host, [guest.domain for guest in guests]


@pytest.mark.parametrize("goal", [Goal.LATENCY, Goal.BALANCED], ids=lambda goal: goal.value)
def test_a_fact_that_is_taken_away_is_not_checked_and_never_silence(goal: Goal) -> None:
    """Each fact that a finding rests on leads to "not checked" for its rule once it is gone."""
    host, domains = a_scene_where_much_fires()
    intent = Intent(goal=goal)
    before = audit(host, domains, intent)
    # One look shows no rates, and asks for no images: rules about these say so whatever the facts are.
    apart = ("no window", "was not asked for")
    assert not [one for one in before.not_checked if not any(word in one.reason for word in apart)]
    assert findings_lost(host, domains, intent, [rule.id for rule in rules()]) > 100
