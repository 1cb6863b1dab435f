"""numa.fit: a guest that would fit one host node is spread over several."""

from __future__ import annotations

import pytest

from kvmnb.advise.cpu.pins import NEEDS_THE_NODE, START_MAY_FAIL
from kvmnb.advise.finding import Safety, Severity, Sure
from tests.builders import a_domain, a_host, bound_to, cells, found, silent, values

RULE = "numa.fit"
HOST = a_host(nodes=2, cores=8, memory_gib=32)


@pytest.mark.parametrize("goal", ["throughput", "balanced"])
def test_a_floating_guest_is_kept_to_a_node_with_its_memory(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(vcpus=4), goal=goal)
    assert values(finding) == {
        "domain_xml:vcpu/@cpuset": "0-7",
        "domain_xml:numatune/memory/@mode": "strict",
        "domain_xml:numatune/memory/@nodeset": "0",
    }
    assert (finding.severity, finding.safety, finding.sure) == (Severity.HIGH, Safety.DISRUPTIVE, Sure.LIKELY)
    assert "4 vCPUs and 4 GiB would fit node 0 (8 CPUs, 32 GiB" in finding.saw
    assert "all CPUs, that is on nodes 0-1" in finding.saw
    assert any("a reboot inside the guest is not enough" in cost for cost in finding.costs)


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=4), goal="density")


def test_a_dedicated_guest_is_pinned() -> None:
    wanted = values(found(RULE, HOST, a_domain(vcpus=1), goal="latency"))
    assert wanted["domain_xml:cputune/vcpupin[0]/@cpuset"] == "1"
    assert wanted["domain_live:vcpupin[0]"] == "1"
    assert wanted["domain_xml:numatune/memory/@nodeset"] == "0"
    assert "domain_xml:vcpu/@cpuset" not in wanted


@pytest.mark.parametrize(("vcpus", "speaks"), [(8, True), (9, False)])
def test_only_a_guest_that_fits_the_cpus_of_a_node_is_judged(vcpus: int, speaks: bool) -> None:
    assert silent(RULE, HOST, a_domain(vcpus=vcpus)) is not speaks


@pytest.mark.parametrize(("memory", "speaks"), [(32, True), (33, False)])
def test_only_a_guest_that_fits_the_memory_of_a_node_is_judged(memory: int, speaks: bool) -> None:
    assert silent(RULE, HOST, a_domain(memory_gib=memory)) is not speaks


def test_a_guest_that_fits_a_node_beside_nobody_is_left_to_a_person() -> None:
    finding = found(RULE, HOST, a_domain(memory_gib=31))
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert "no single node has room" in (finding.note or "")


def test_a_host_of_one_node_has_nothing_to_spread_over() -> None:
    assert silent(RULE, a_host(cores=8), a_domain())
    assert silent(RULE, a_host(cores=8, memory_only_nodes=1), a_domain())


@pytest.mark.parametrize(("mask", "speaks"), [("0-7", False), ("7-8", True)])
def test_a_mask_within_a_node_is_right(mask: str, speaks: bool) -> None:
    assert silent(RULE, HOST, a_domain(vcpu_cpuset=mask)) is not speaks


def test_pins_on_two_nodes_are_found() -> None:
    finding = found(RULE, HOST, a_domain(pins={0: "1", 1: "9"}))
    assert "CPUs 1,9, that is on nodes 0-1" in finding.saw
    assert values(finding)["domain_xml:cputune/vcpupin[1]/@cpuset"] == "2"


def test_pools_over_two_nodes_are_narrowed_and_not_made_single() -> None:
    wanted = values(found(RULE, HOST, a_domain(pins={0: "6-9", 1: "6-7"})))
    assert "-" in (wanted["domain_xml:cputune/vcpupin[0]/@cpuset"] or "")
    assert "domain_xml:cputune/vcpupin[1]/@cpuset" not in wanted


def test_a_guest_that_numad_places_was_spread_on_purpose() -> None:
    assert silent(RULE, HOST, a_domain(vcpu_placement="auto"))


def test_cells_that_are_bound_to_nodes_were_spread_on_purpose() -> None:
    bound = "".join(f"<memnode cellid='{number}' mode='strict' nodeset='{number}'/>" for number in (0, 1))
    tune = f"<numatune>{bound}</numatune>"
    shape = cells(("0", 2), ("1", 2))
    assert silent(RULE, HOST, a_domain(cpu=shape, numatune=tune))
    assert not silent(RULE, HOST, a_domain(cpu=shape))


def test_the_node_of_its_memory_is_chosen() -> None:
    wanted = values(found(RULE, HOST, a_domain(numatune=bound_to("1"))))
    assert wanted == {"domain_xml:vcpu/@cpuset": "8-15"}


def test_a_guest_over_three_nodes_is_found_too() -> None:
    host = a_host(nodes=3, cores=8, memory_gib=32)
    assert "all CPUs, that is on nodes 0-2" in found(RULE, host, a_domain(vcpus=4)).saw
    assert "on nodes 0-2" in found(RULE, host, a_domain(vcpu_cpuset="7-16")).saw


def test_three_bound_cells_were_spread_on_purpose_and_one_was_not() -> None:
    def spread(count: int) -> str:
        bound = "".join(f"<memnode cellid='{cell}' mode='strict' nodeset='0'/>" for cell in range(count))
        return f"<numatune>{bound}</numatune>"

    three = a_domain(vcpus=3, memory_gib=3, cpu=cells(("0", 1), ("1", 1), ("2", 1)), numatune=spread(3))
    one = a_domain(vcpus=2, memory_gib=2, cpu=cells(("0-1", 2)), numatune=spread(1))
    assert silent(RULE, HOST, three)
    assert not silent(RULE, HOST, one)


def test_a_mask_alone_costs_a_restart_that_may_fail() -> None:
    costs = found(RULE, HOST, a_domain(vcpus=4)).costs
    assert START_MAY_FAIL in costs
    assert NEEDS_THE_NODE in costs


def test_the_largest_sizes_of_its_node_are_told() -> None:
    saw = found(RULE, HOST, a_domain(vcpus=4)).saw
    assert saw.startswith("4 vCPUs and 4 GiB would fit node 0 (8 CPUs, 32 GiB; /sys/devices/system/node), and the ")
