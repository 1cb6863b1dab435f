"""numa.vnuma: a guest that is wider than a node is told of one node alone."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_domain, a_host, bound_to, cells, found, silent

RULE = "numa.vnuma"
HOST = a_host(nodes=2, cores=4, memory_gib=16)
MEMNODES = (
    "<numatune><memory mode='strict' nodeset='0-1'/><memnode cellid='0' mode='strict' nodeset='0'/>"
    "<memnode cellid='1' mode='strict' nodeset='1'/></numatune>"
)
TWO = cells(("0-2", 4), ("3-5", 4))


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_a_guest_wider_than_a_node_without_cells_is_found(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(vcpus=6), goal=goal)
    assert "6 vCPUs and 4 GiB" in finding.saw
    assert "it has no cells" in finding.saw
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.MANUAL)
    assert finding.by_hand[0].startswith("virsh edit guest")


def test_memory_alone_can_be_too_much() -> None:
    assert "20 GiB" in found(RULE, HOST, a_domain(vcpus=2, memory_gib=20), goal="latency").saw


def test_one_cell_tells_nothing() -> None:
    assert "one cell" in found(RULE, HOST, a_domain(vcpus=6, cpu=cells(("0-5", 8))), goal="latency").saw


def test_cells_that_are_not_bound_are_found() -> None:
    guest = a_domain(vcpus=6, cpu=TWO, numatune=bound_to("0-1"))
    assert "no memnode binds the memory of cell 0, 1" in found(RULE, HOST, guest, goal="latency").saw


def test_a_cell_whose_vcpus_lie_on_both_nodes_is_found() -> None:
    guest = a_domain(vcpus=6, cpu=TWO, numatune=MEMNODES, pins={0: "0", 1: "4"})
    assert "the vCPUs of cell 0 are pinned to nodes 0-1" in found(RULE, HOST, guest, goal="latency").saw


def test_bound_cells_with_their_vcpus_are_right() -> None:
    pins = {0: "0", 1: "1", 2: "2", 3: "4", 4: "5", 5: "6"}
    assert silent(RULE, HOST, a_domain(vcpus=6, cpu=TWO, numatune=MEMNODES, pins=pins), goal="latency")


@pytest.mark.parametrize("words", [{"vcpus": 4}, {"vcpus": 4, "memory_gib": 16}])
def test_a_guest_that_fits_a_node_needs_no_cells(words: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_domain(**words), goal="latency")


def test_a_host_of_one_node_has_nothing_to_tell() -> None:
    assert silent(RULE, a_host(cores=4), a_domain(vcpus=6), goal="latency")


def test_goal_balanced_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=6))
