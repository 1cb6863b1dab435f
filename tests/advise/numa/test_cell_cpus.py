"""numa.cell_cpus: the guest's cells do not name each vCPU once."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_domain, a_host, cells, found, silent

RULE = "numa.cell_cpus"
HOST = a_host()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("0-1", "2", "no cell has vCPUs 3"),
        ("0-1", "2-5", "the guest does not have vCPUs 4-5"),
        ("0-2", "2-3", "two cells have vCPUs 2"),
    ],
)
@pytest.mark.parametrize("goal", ["balanced", "throughput"])
def test_cells_that_do_not_add_up_are_found(first: str, second: str, words: str, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(vcpus=4, cpu=cells((first, 1), (second, 1))), goal=goal)
    assert words in finding.saw
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.MANUAL)


def test_vcpus_that_are_plugged_in_later_count_too() -> None:
    guest = a_domain(vcpus=4, current=2, cpu=cells(("0", 1), ("1", 1)))
    assert "no cell has vCPUs 2-3" in found(RULE, HOST, guest).saw


def test_whole_cells_are_right() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=4, cpu=cells(("0-1", 1), ("2-3", 1))))


def test_a_guest_without_cells_is_right() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=4))


def test_goal_latency_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=4, cpu=cells(("0-1", 1), ("2", 1))), goal="latency")
