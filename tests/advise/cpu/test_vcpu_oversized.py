"""cpu.vcpu.oversized: the guest has more vCPUs than a node, or the whole host, has CPUs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.core.cpuset import CpuSet
from tests.builders import a_domain, a_host, cells, found, silent

RULE = "cpu.vcpu.oversized"
HOST = a_host(nodes=2, cores=4)


@pytest.mark.parametrize(
    ("vcpus", "severity"), [(4, None), (5, Severity.MEDIUM), (8, Severity.MEDIUM), (9, Severity.HIGH)]
)
def test_the_largest_node_and_the_host_are_the_limits(vcpus: int, severity: Severity | None) -> None:
    guest = a_domain(vcpus=vcpus)
    if severity is None:
        assert silent(RULE, HOST, guest)
    else:
        finding = found(RULE, HOST, guest)
        assert (finding.severity, finding.safety, finding.wants) == (severity, Safety.MANUAL, ())
        assert any("virsh setvcpus guest COUNT --config" in line for line in finding.by_hand)


def test_guest_cells_allow_more_than_a_node_but_not_more_than_the_host() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=8, memory_gib=4, cpu=cells(("0-3", 2), ("4-7", 2))))
    assert not silent(RULE, HOST, a_domain(vcpus=10, memory_gib=4, cpu=cells(("0-4", 2), ("5-9", 2))))


def test_one_node_has_only_the_hosts_limit() -> None:
    host = a_host(cores=4)
    assert silent(RULE, host, a_domain(vcpus=4))
    assert "5 vCPUs (persistent XML, vcpu) on a host with 4 online CPUs" in found(RULE, host, a_domain(vcpus=5)).saw


def test_vcpus_that_are_not_plugged_in_do_not_count() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=32, current=4))


def test_a_name_for_the_shell_is_quoted() -> None:
    finding = found(RULE, a_host(cores=1), a_domain("a;b", vcpus=2))
    assert "virsh setvcpus 'a;b' COUNT --config" in finding.by_hand


def test_one_guest_cell_is_a_choice_too() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=5, memory_gib=4, cpu=cells(("0-4", 4))))


def test_a_guest_without_a_word_about_its_cpu_has_no_cells() -> None:
    assert found(RULE, HOST, a_domain(vcpus=5, cpu="")).by_hand == (
        "Lower it to 4 vCPUs or fewer, or give the guest one NUMA cell for each node that it spans:",
        "virsh setvcpus guest COUNT --config",
        "virsh edit guest  # cpu/numa/cell and numatune/memnode, one for each node",
    )


def test_a_host_whose_nodes_are_not_known_has_only_the_hosts_limit() -> None:
    host = replace(HOST, numa_nodes=())
    assert silent(RULE, host, a_domain(vcpus=8))
    assert found(RULE, host, a_domain(vcpus=9)).severity is Severity.HIGH


def test_cpus_outside_of_every_node_leave_the_only_node_no_limit() -> None:
    one = replace(a_host(cores=8), numa_nodes=(replace(a_host().numa_nodes[0], cpus=CpuSet.parse("0-3")),))
    assert silent(RULE, one, a_domain(vcpus=6))
