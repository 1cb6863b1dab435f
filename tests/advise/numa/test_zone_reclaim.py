"""numa.zone_reclaim: a full node is reclaimed before free memory of other nodes is used."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Sysctl
from tests.advise.mem.builders import a_memory_guest, a_memory_host
from tests.builders import a_fact, bound_to, found, silent

RULE = "numa.zone_reclaim"


def host(value: str | None = "1", nodes: int = 2) -> Host:
    return a_memory_host(nodes=nodes, sysctls={} if value is None else {"vm.zone_reclaim_mode": value})


@pytest.mark.parametrize("value", ["1", "3"])
@pytest.mark.parametrize("goal", ["throughput", "balanced"])
def test_it_is_switched_off_where_guests_are_not_bound(goal: str, value: str) -> None:
    finding = found(RULE, host(value), a_memory_guest().domain, goal=goal)
    assert [(str(want.tunable), want.value) for want in finding.wants] == [("sysctl:host:vm.zone_reclaim_mode", "0")]
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.SAFE)
    assert finding.note is None


@pytest.mark.parametrize(("value", "nodes"), [("0", 2), (None, 2), ("1", 1)])
def test_the_default_and_single_nodes_are_right(value: str | None, nodes: int) -> None:
    assert silent(RULE, host(value, nodes), a_memory_guest().domain)


def test_where_every_running_guest_is_bound_it_is_left_alone() -> None:
    bound = a_memory_guest("bound", pins={0: "0", 1: "1"}, numatune=bound_to("0")).domain
    assert silent(RULE, host(), bound)
    assert silent(RULE, host(), bound, a_memory_guest("off", running=False).domain)
    assert "'free' (" in found(RULE, host(), a_memory_guest("free").domain, bound).saw
    assert silent(RULE, host())


@pytest.mark.parametrize("goal", ["latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host(), a_memory_guest().domain, goal=goal)


def test_the_file_that_sets_it_is_named() -> None:
    setting = a_fact(Sysctl, key="vm.zone_reclaim_mode", value="1", set_by="etc/sysctl.d/1.conf", set_to="1")
    kept = changed(host(), kernel=changed(host().kernel, sysctls=(setting,)))
    assert "/etc/sysctl.d/1.conf sets it" in (found(RULE, kept, a_memory_guest().domain).note or "")
