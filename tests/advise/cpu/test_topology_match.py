"""cpu.topology.match: the CPU topology that the guest is told is absent, impossible or not true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.intent import GuestIntent
from tests.builders import a_domain, a_host, an_intent, cells, found, silent, topology, values

RULE = "cpu.topology.match"
HOST = a_host(cores=8, threads=2)


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_windows_without_a_topology_gets_one_socket(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(vcpus=3, windows=True), goal=goal)
    assert values(finding) == {
        "domain_xml:cpu/topology/@sockets": "1",
        "domain_xml:cpu/topology/@cores": "3",
        "domain_xml:cpu/topology/@threads": "1",
    }
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.DISRUPTIVE)
    assert any("Windows" in cost for cost in finding.costs)


def test_two_sockets_are_not_too_many() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=2, windows=True))


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=3, windows=True), goal="density")


def test_other_systems_may_do_without() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=8))


def test_a_person_may_say_that_it_is_windows() -> None:
    assert not silent(RULE, HOST, a_domain(vcpus=8), intent=an_intent(guest=GuestIntent(os="win2k22")))


def test_guest_cells_become_sockets() -> None:
    guest = a_domain(vcpus=4, windows=True, memory_gib=4, cpu=cells(("0-1", 2), ("2-3", 2)))
    wanted = values(found(RULE, HOST, guest))
    assert (wanted["domain_xml:cpu/topology/@sockets"], wanted["domain_xml:cpu/topology/@cores"]) == ("2", "2")


def test_cells_that_do_not_divide_the_vcpus_are_one_socket() -> None:
    guest = a_domain(vcpus=3, windows=True, memory_gib=4, cpu=cells(("0-1", 2), ("2", 2)))
    assert values(found(RULE, HOST, guest))["domain_xml:cpu/topology/@sockets"] == "1"


def test_a_topology_of_another_size_is_refused_by_libvirt() -> None:
    finding = found(RULE, HOST, a_domain(vcpus=6, cpu=topology(1, 2, 2)))
    assert "holds 4 vCPUs (1 sockets, 1 dies, 2 cores, 2 threads), vcpu says 6" in finding.saw
    assert finding.severity is Severity.HIGH
    assert values(finding) == {"domain_xml:cpu/topology/@cores": "6", "domain_xml:cpu/topology/@threads": "1"}


def test_a_topology_of_the_right_size_is_right() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=6, cpu=topology(2, 3, 1)))


def test_threads_of_a_floating_guest_are_not_true() -> None:
    finding = found(RULE, HOST, a_domain(vcpus=4, cpu=topology(1, 2, 2)))
    assert "tells of 2 threads" in finding.saw
    assert values(finding) == {"domain_xml:cpu/topology/@cores": "4", "domain_xml:cpu/topology/@threads": "1"}


def test_threads_on_sibling_pairs_are_true() -> None:
    pins = {0: "1", 1: "9", 2: "2", 3: "10"}
    assert silent(RULE, HOST, a_domain(vcpus=4, pins=pins, cpu=topology(1, 2, 2)))


def test_threads_that_will_be_pinned_to_pairs_are_left_to_the_rules_of_pins() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=4, cpu=topology(1, 2, 2)), goal="latency")


def test_threads_on_a_host_without_them_are_not_true_even_when_pinned() -> None:
    assert not silent(RULE, a_host(cores=8), a_domain(vcpus=4, cpu=topology(1, 2, 2)), goal="latency")


def test_dies_and_clusters_are_folded_too() -> None:
    shape = "<cpu mode='host-passthrough'><topology sockets='1' dies='2' cores='1' threads='2'/></cpu>"
    assert values(found(RULE, HOST, a_domain(vcpus=4, cpu=shape)))["domain_xml:cpu/topology/@dies"] == "1"


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    transient = replace(a_domain(vcpus=3, windows=True), persistent=False, inactive=None)
    assert found(RULE, HOST, transient).safety is Safety.MANUAL
