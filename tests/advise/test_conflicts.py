"""Findings that cannot all be followed are told with the one that is, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from kvmnb.advise.conflicts import Conflict, followed, settle, side
from kvmnb.advise.finding import Finding, Safety, Severity
from kvmnb.advise.folklore import PREFIX
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.opposites import OPPOSITES, Meet, Opposites, Says
from kvmnb.advise.registry import audit, rule
from kvmnb.advise.view import View
from kvmnb.core.errors import Conflict as Refusal
from kvmnb.machine.sources import recorded
from kvmnb.plan.build import build
from kvmnb.probe.survey import Survey, probe
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Tunable, Want
from kvmnb.verbs import Here
from tests.advise.mem.builders import a_memory_host
from tests.advise.test_contract import recordings
from tests.builders import Guest, a_guest, a_host
from tests.findings import a_finding

FILES = {
    "nr_hugepages": "devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages",
    "transparent_hugepage/enabled": "kernel/mm/transparent_hugepage/enabled",
}
UUID = "00000000-0000-4000-8000-000000000001"
every_goal = pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)


def a_view(goal: Goal = Goal.BALANCED) -> View:
    return View(a_host(), [a_guest("web").domain, a_guest("db").domain], Intent(goal=goal))


def of(rule_id: str, *wants: Want, domain: str | None = "web", below: str = "", **changes: object) -> Finding:
    """A finding of a rule on a guest."""
    subject = ("host" if domain is None else f"domain/{domain}") + below
    return replace(a_finding(*wants, rule=rule_id), subject=subject, domain=domain, **changes)  # type: ignore[arg-type]


def matching(says: Says, domain: str | None, below: str) -> Finding:
    """A finding that is meant by one side of a pair."""
    wants = []
    if says.path is not None:
        tunable: Tunable = (
            Sysfs(FILES[says.path])
            if domain is None
            else DomainXml("web", UUID, f"devices/disk[vda]/{says.path.lstrip('/')}")
        )
        wants.append(Want(tunable, says.values[0] or "1"))
    return of(
        says.rule, *wants, domain=domain, below=below + says.about, severity=Severity.CRITICAL, saw=f"seen {says.saw}"
    )


def a_pair(pair: Opposites) -> tuple[Finding, Finding]:
    """Two findings that a pair is about."""
    domains = [None if rule(says.rule).scope == "host" else "web" for says in (pair.first, pair.second)]
    below = "/disk/vda" if pair.where is Meet.SUBJECT else ""
    first, second = (
        matching(says, domain, below) for says, domain in zip((pair.first, pair.second), domains, strict=True)
    )
    return first, second


def sides(conflicts: Sequence[Conflict]) -> list[tuple[str, str]]:
    return [(one.followed.id, one.waits.id) for one in conflicts]


every_pair = pytest.mark.parametrize("pair", OPPOSITES, ids=lambda pair: f"{pair.first.rule} {pair.second.rule}")


@every_pair
def test_of_two_rules_that_advise_against_each_other_the_one_that_suits_the_goal_is_followed(pair: Opposites) -> None:
    first, second = a_pair(pair)
    assert pair.first.matches(first)
    assert pair.second.matches(second)
    for goal in Goal:
        (found,) = settle([first, second], a_view(goal))
        turned = pair.turned.get(goal.value)
        wins, waits = (second, first) if turned else (first, second)
        assert (found.followed, found.waits) == (side(wins), side(waits))
        assert found.reason.endswith(turned or pair.reason)
        assert followed([first, second], [found]) == (wins,)


@every_pair
def test_a_pair_can_meet(pair: Opposites) -> None:
    """Both rules exist, and some goals of a guest and its host let both of them speak."""
    first, second = rule(pair.first.rule), rule(pair.second.rule)
    assert set(pair.turned) <= {goal.value for goal in Goal}
    if first.scope == second.scope:
        assert set(first.goals) & set(second.goals)


@every_pair
def test_what_another_guest_or_disk_has_is_no_conflict(pair: Opposites) -> None:
    first, second = a_pair(pair)
    if pair.where is not Meet.HOST:
        assert not settle([first, replace(second, subject="domain/db/disk/vdb", domain="db")], a_view())


def test_less_grave_or_other_findings_of_the_same_rule_are_left_alone() -> None:
    few = of("cpu.overcommit", domain=None, severity=Severity.INFO)
    pin = of("cpu.pin.vcpu", Want(DomainXml("web", UUID, "cputune/vcpupin[0]/@cpuset"), "1"))
    unpinned = of("cpu.pin.vcpu", safety=Safety.MANUAL)
    grave = replace(few, severity=Severity.HIGH)
    assert not settle([few, pin], a_view())
    assert not settle([grave, unpinned], a_view())
    assert sides(settle([grave, pin], a_view())) == [("cpu.overcommit", "cpu.pin.vcpu")]
    assert sides(settle([grave, pin], a_view(Goal.LATENCY))) == [("cpu.pin.vcpu", "cpu.overcommit")]


def test_a_bus_that_hurts_does_not_wait_for_disks_that_could_be_elsewhere() -> None:
    bus = of("disk.bus", Want(DomainXml("web", UUID, "devices/disk[hda]/target/@bus"), "virtio"), below="/disk/hda")
    scsi, many = (of("disk.controller.choice", below=f"/controller/{kind}") for kind in ("scsi", "virtio"))
    assert not settle([bus, scsi], a_view())
    assert sides(settle([bus, many], a_view())) == [("disk.controller.choice", "disk.bus")]


def test_huge_pages_wait_for_tuned_only_where_its_profile_turns_them_off() -> None:
    thp = of("mem.thp", Want(Sysfs(FILES["transparent_hugepage/enabled"]), "madvise"), domain=None)
    other, without = (of("host.tuned", domain=None, saw=f"profile {name}") for name in ("balanced", "network-latency"))
    assert not settle([thp, other], a_view())
    assert sides(settle([thp, without], a_view())) == [("host.tuned", "mem.thp")]


def test_the_guests_own_goal_decides_and_not_the_hosts() -> None:
    from kvmnb.advise.intent import GuestIntent

    grave = of("cpu.overcommit", domain=None, severity=Severity.HIGH)
    pin = of("cpu.pin.vcpu", Want(DomainXml("web", UUID, "cputune/vcpupin[0]/@cpuset"), "1"))
    intent = Intent(goal=Goal.DENSITY, guest={"web": GuestIntent(goal=Goal.LATENCY)})
    (found,) = settle([grave, pin], View(a_host(), [a_guest("web").domain], intent))
    assert found.followed.id == "cpu.pin.vcpu"
    assert found.reason.startswith("goal latency: ")


def test_one_setting_with_two_values_goes_to_the_finding_that_is_told_first() -> None:
    tunable = Sysctl("vm.swappiness")
    first, same, other = (of(name, Want(tunable, value), domain=None) for name, value in zip("abc", "119", strict=True))
    (found,) = settle([first, same, other], a_view())
    assert found == Conflict(
        followed=side(first),
        waits=side(other),
        about="sysctl:host:vm.swappiness as 1 or as 9",
        resolution="follow a of host; c of host waits",
        reason="the one that is told first goes first: by severity, then expected effect, confidence and cost",
    )
    assert found.told.startswith("follow a of host; c of host waits (they disagree about sysctl:host:vm.swappiness")


def test_a_finding_that_waits_makes_no_other_wait() -> None:
    one, two = Sysctl("vm.swappiness"), Sysctl("vm.dirty_ratio")
    first = of("a", Want(one, "1"), domain=None)
    middle = of("b", Want(one, "2"), Want(two, "2"), domain=None)
    last = of("c", Want(two, "3"), domain=None)
    assert sides(settle([first, middle, last], a_view())) == [("a", "b")]


@pytest.mark.parametrize("live", [False, True], ids=["persistent", "live"])
def test_two_findings_do_not_give_one_cpu_to_two_vcpus(live: bool) -> None:
    from kvmnb.machine.hypervisor import Thread

    def pin(domain: str, vcpu: int, cpus: str) -> Want:
        if live:
            return Want(DomainLive(domain, UUID, Thread.VCPU, vcpu), cpus)
        return Want(DomainXml(domain, UUID, f"cputune/vcpupin[{vcpu}]/@cpuset"), cpus)

    first = of("a", pin("web", 0, "3"), pin("web", 1, "4"))
    second = of("b", pin("db", 0, "3"), domain="db")
    (found,) = settle([first, second], a_view())
    assert (found.followed.id, found.waits.id) == ("a", "b")
    assert "CPU 3" in found.about
    assert not settle([first, of("b", pin("db", 0, "3-4"), domain="db")], a_view())
    assert not settle([first, of("b", pin("web", 0, "3"))], a_view())


def test_guests_that_fit_the_pool_alone_and_not_together_take_turns() -> None:
    pages = "<hugepages><page size='2048' unit='KiB'/></hugepages>"
    found = audit(
        a_memory_host(pools={0: (2560, 2560)}), [one.domain for one in big_guests()], Intent(goal=Goal.LATENCY)
    )
    asking = [one for one in found.findings if one.id == "mem.hugepages.static" and one.wants]
    assert [[want.value for want in one.wants] for one in asking] == [[pages]] * 2
    (pool,) = [one for one in found.conflicts if one.waits.id == "mem.hugepages.static"]
    assert (pool.followed, pool.waits) == (side(asking[0]), side(asking[1]))
    assert "2560 free pages" in pool.about


def big_guests() -> list[Guest]:
    return [a_guest(name, vcpus=1, memory_gib=4) for name in ("web", "db")]


@cache
def probed(folder: Path) -> tuple[Here, Survey]:
    machine = recorded(folder)
    return Here(machine, Intent()), probe(machine)


@every_goal
def test_no_plan_of_an_audit_raises_a_conflict_on_a_shipped_host(goal: Goal) -> None:
    for folder in recordings():
        here, survey = probed(folder)
        found = audit(survey.host, survey.domains, Intent(goal=goal))
        plan = here.plan(found)
        assert plan.conflicts == tuple(one.told for one in found.conflicts)
        left_out = {one.waits for one in found.conflicts}
        judged = {side(one) for one in found.findings if not one.id.startswith(PREFIX)}
        assert judged - {side(one) for one in found.followed} == left_out
        # Two findings that stand apart in a conflict can each be followed alone.
        for finding in found.findings:
            if side(finding) in left_out:
                here.plan(finding)


def test_findings_that_were_chosen_one_by_one_are_refused_where_they_disagree() -> None:
    here, survey = probed(recordings()[0])
    tunable = Sysctl("vm.swappiness")
    first, other = (of(f"a{value}", Want(tunable, value), domain=None) for value in "19")
    with pytest.raises(Refusal):
        build([first, other], here.machine, survey.host.uuid)
    assert [one.after for one in here.plan(other).changes if one.tunable == tunable] == ["9"]
    both = replace(audit(survey.host, survey.domains, Intent()), findings=(first, other), conflicts=())
    settled = replace(both, conflicts=settle(both.findings, View(survey.host, survey.domains, Intent())))
    plan = here.plan(settled)
    assert [one.after for one in plan.changes if one.tunable == tunable] == ["1"]
    assert plan.conflicts == (settled.conflicts[0].told,)
