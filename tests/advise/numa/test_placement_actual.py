"""numa.placement_actual: the memory of a running guest lies on other nodes than its vCPUs."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.core.units import GIB
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.running import NodeMemory, ProcessMemory
from tests.builders import a_domain, a_fact, a_host, bound_to, found, judged, silent

RULE = "numa.placement_actual"
HOST = a_host(nodes=2, cores=4)
ON_NODE_0: dict[str, Any] = {"pins": {0: "0", 1: "1"}}


def lying(domain: Domain, *gib: float) -> Domain:
    """The domain with so many GiB on each node."""
    nodes = tuple(NodeMemory(node=node, bytes=int(size * GIB)) for node, size in enumerate(gib) if size)
    return changed(domain, memory=a_fact(ProcessMemory, nodes=nodes))


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize(
    ("gib", "severity", "share"),
    [((8.9, 1.1), Severity.MEDIUM, "11%"), ((7, 3), Severity.MEDIUM, "30%"), ((6.9, 3.1), Severity.HIGH, "31%"),
     ((0, 4), Severity.HIGH, "100%")],
)  # fmt: skip
def test_far_memory_is_told(gib: tuple[float, ...], severity: Severity, share: str, goal: str) -> None:
    finding = found(RULE, HOST, lying(a_domain(**ON_NODE_0), *gib), goal=goal)
    assert (finding.severity, finding.safety) == (severity, Safety.MANUAL)
    assert finding.saw.startswith(f"{share} of the guest's memory lies off node 0")


@pytest.mark.parametrize("gib", [(9, 1), (4, 0), (0.4, 0.59)])
def test_a_tenth_and_small_guests_are_left_alone(gib: tuple[float, ...]) -> None:
    assert silent(RULE, HOST, lying(a_domain(**ON_NODE_0), *gib), goal="latency")


@pytest.mark.parametrize("pins", [{}, {0: "0", 1: "4"}, {0: "0"}])
def test_a_guest_that_may_run_anywhere_has_no_far_memory(pins: dict[int, str]) -> None:
    assert silent(RULE, HOST, lying(a_domain(pins=pins), 2, 2), goal="latency")


def test_where_the_vcpus_may_run_anywhere_the_policy_counts() -> None:
    finding = found(RULE, HOST, lying(a_domain(numatune=bound_to("1")), 2, 2), goal="latency")
    assert "50% of the guest's memory lies off node 1, to which numatune holds it" in finding.saw
    assert silent(RULE, HOST, lying(a_domain(numatune=bound_to("1", "preferred")), 2, 2), goal="latency")


def test_what_runs_counts_and_not_what_is_to_come() -> None:
    domain = a_domain(pins={0: "4", 1: "5"}, live={"pins": {0: "0", 1: "1"}})
    assert silent(RULE, HOST, lying(domain, 4, 0), goal="latency")
    assert not silent(RULE, HOST, lying(domain, 0, 4), goal="latency")


def test_a_restrictive_policy_moves_memory_live() -> None:
    finding = found(
        RULE, HOST, lying(a_domain(numatune=bound_to("0", "restrictive"), **ON_NODE_0), 1, 3), goal="latency"
    )
    assert finding.by_hand == ("virsh numatune guest --nodeset 0 --live  # moves its memory now",)
    assert "virsh start guest" in found(RULE, HOST, lying(a_domain(**ON_NODE_0), 1, 3), goal="latency").by_hand[1]


def test_one_node_and_a_guest_that_is_shut_off_have_no_far_memory() -> None:
    assert silent(RULE, a_host(nodes=1), a_domain(**ON_NODE_0), goal="latency")
    assert silent(RULE, HOST, a_domain(running=False, **ON_NODE_0), goal="latency")


def test_memory_that_is_not_seen_is_not_checked() -> None:
    assert judged(RULE, HOST, a_domain(**ON_NODE_0), goal="latency").not_checked
    hidden = changed(a_domain(**ON_NODE_0), memory=Gap("memory", "/proc/7/numa_maps needs root"))
    assert "needs root" in judged(RULE, HOST, hidden, goal="latency").not_checked[0].reason


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, lying(a_domain(**ON_NODE_0), 0, 4), goal=goal)
