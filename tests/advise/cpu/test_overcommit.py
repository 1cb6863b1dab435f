"""cpu.overcommit: running guests have more vCPUs than the host has CPUs to give."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.windows import a_guest_load, a_window
from tests.builders import a_domain, a_host, found, silent

RULE = "cpu.overcommit"
# 10 cores of 2 threads: 20 CPUs; more than 100 vCPUs are more than ten for each core as well.
HOST = a_host(cores=10, threads=2)
# Without threads ten for each core are ten for each CPU.
PLAIN = a_host(cores=10)


@pytest.mark.parametrize(
    ("vcpus", "goal", "severity"),
    [
        (20, "latency", None),
        (21, "latency", Severity.INFO),
        (21, "throughput", Severity.INFO),
        (21, "balanced", None),
        (21, "density", None),
        (60, "balanced", None),
        (61, "balanced", Severity.MEDIUM),
        (61, "density", Severity.MEDIUM),
        (100, "balanced", Severity.MEDIUM),
        (101, "balanced", Severity.CRITICAL),
    ],
)
def test_the_count_of_vcpus_decides(vcpus: int, goal: str, severity: Severity | None) -> None:
    guest = a_domain("big", vcpus=vcpus)
    if severity is None:
        assert silent(RULE, HOST, guest, goal=goal)
    else:
        assert found(RULE, HOST, guest, goal=goal).severity is severity


@pytest.mark.parametrize(
    ("vcpus", "severity"), [(50, Severity.MEDIUM), (51, Severity.HIGH), (100, Severity.HIGH), (101, Severity.CRITICAL)]
)
def test_without_threads_five_to_one_comes_before_ten(vcpus: int, severity: Severity) -> None:
    assert found(RULE, PLAIN, a_domain(vcpus=vcpus)).severity is severity


def test_only_vcpus_that_are_plugged_in_and_run_count() -> None:
    guests = [a_domain("one", vcpus=40, current=10), a_domain("two", vcpus=40, running=False)]
    assert silent(RULE, PLAIN, *guests, goal="latency")


def test_the_largest_guests_are_named_and_nothing_is_wanted() -> None:
    guests = [a_domain(name, vcpus=count) for name, count in (("a", 5), ("b", 40), ("c", 6), ("d", 7))]
    finding = found(RULE, PLAIN, *guests)
    assert "the largest are 'b' with 40, 'd' with 7, 'c' with 6" in finding.saw
    assert "58 vCPUs of 4 running guests" in finding.saw
    assert "5.8 vCPUs for each CPU" in finding.saw
    assert (finding.wants, finding.safety, finding.sure) == ((), Safety.MANUAL, Sure.LIKELY)
    assert "load not measured" in (finding.note or "")


def test_a_host_without_running_guests_is_fine() -> None:
    assert silent(RULE, PLAIN, a_domain(running=False), goal="latency")


@pytest.mark.parametrize(
    ("delay", "severity", "sure"),
    [(0.05, Severity.MEDIUM, Sure.CERTAIN), (0.04, Severity.LOW, Sure.LIKELY), (None, Severity.MEDIUM, Sure.LIKELY)],
)
def test_waiting_makes_it_certain_and_its_absence_less_grave(
    delay: float | None, severity: Severity, sure: Sure
) -> None:
    load = a_window(*([a_guest_load([(0.5, delay)])] if delay is not None else []))
    finding = found(RULE, a_host(cores=4), a_domain(vcpus=14), load=load)
    assert (finding.severity, finding.sure) == (severity, sure)
