"""numa.strict: the vCPUs are held to some nodes, the memory is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_domain, a_host, bound_to, cells, found, silent, values

RULE = "numa.strict"
HOST = a_host(nodes=2, cores=8, memory_gib=32)
PINS = {0: "9", 1: "10"}


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_memory_follows_the_pins_under_every_goal(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(pins=PINS), goal=goal)
    assert values(finding) == {"domain_xml:numatune/memory/@mode": "strict", "domain_xml:numatune/memory/@nodeset": "1"}
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    assert any("a reboot inside the guest is not enough" in cost for cost in finding.costs)
    assert "all vCPUs are held to CPUs 9-10 of node 1" in finding.saw
    assert "there is no numatune/memory" in finding.saw


def test_memory_follows_a_mask() -> None:
    assert values(found(RULE, HOST, a_domain(vcpu_cpuset="0-3")))["domain_xml:numatune/memory/@nodeset"] == "0"


def test_memory_on_the_same_node_is_right() -> None:
    assert silent(RULE, HOST, a_domain(pins=PINS, numatune=bound_to("1")))


def test_memory_on_another_node_moves_and_keeps_its_mode() -> None:
    finding = found(RULE, HOST, a_domain(pins={0: "1", 1: "2"}, numatune=bound_to("0-1", "preferred")))
    assert "numatune/memory binds to nodes 0-1 (preferred)" in finding.saw
    assert values(finding) == {"domain_xml:numatune/memory/@nodeset": "0"}


def test_a_floating_guest_is_not_judged() -> None:
    assert silent(RULE, HOST, a_domain())
    assert silent(RULE, HOST, a_domain(pins={0: "1"}))


def test_vcpus_on_all_nodes_need_no_binding() -> None:
    assert silent(RULE, HOST, a_domain(pins={0: "1", 1: "9"}))
    assert silent(RULE, a_host(cores=8), a_domain(pins={0: "1", 1: "2"}))


def test_a_node_of_memory_alone_is_a_node_to_stay_off() -> None:
    assert not silent(RULE, a_host(cores=8, memory_only_nodes=1), a_domain(pins={0: "1", 1: "2"}))


@pytest.mark.parametrize(("memory", "speaks"), [(32, True), (33, False)])
def test_a_guest_larger_than_its_nodes_is_not_judged(memory: int, speaks: bool) -> None:
    assert silent(RULE, HOST, a_domain(pins=PINS, memory_gib=memory)) is not speaks


def test_where_numad_chooses_nothing_is_said() -> None:
    auto = "<numatune><memory mode='strict' placement='auto'/></numatune>"
    assert silent(RULE, HOST, a_domain(pins=PINS, numatune=auto))
    assert silent(RULE, HOST, a_domain(pins=PINS, vcpu_placement="auto"))


def test_cells_that_are_bound_one_by_one_are_left_to_a_person() -> None:
    tune = "<numatune><memnode cellid='0' mode='strict' nodeset='0'/></numatune>"
    guest = a_domain(pins=PINS, numatune=tune, cpu=cells(("0-1", 4)))
    finding = found(RULE, HOST, guest)
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert "memnode binds cells to nodes 0" in finding.saw
    assert silent(RULE, HOST, a_domain(pins={0: "1", 1: "2"}, numatune=tune, cpu=cells(("0-1", 4))))


def test_a_guest_that_has_to_move_takes_its_pins_along() -> None:
    full = a_domain("full", vcpus=7, pins={vcpu: str(vcpu + 1) for vcpu in range(7)})
    wanted = values(found(RULE, HOST, a_domain(vcpus=1, pins={0: "0"}), full))
    assert wanted["domain_xml:cputune/vcpupin[0]/@cpuset"] == "9"
    assert wanted["domain_xml:numatune/memory/@nodeset"] == "1"


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    transient = replace(a_domain(pins=PINS), persistent=False, inactive=None)
    assert found(RULE, HOST, transient).safety is Safety.MANUAL
