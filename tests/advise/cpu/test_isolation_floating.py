"""cpu.isolation.floating: threads of the guest float over isolated CPUs."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import changed
from kvmnb.facts.running import GuestThread, Running
from tests.builders import a_domain, a_fact, a_host, found, silent

RULE = "cpu.isolation.floating"
HOST = a_host(cores=8, isolated="2-7")


@pytest.mark.parametrize(
    "words",
    [
        {"pins": {0: "2-3", 1: "4"}},
        {"vcpu_cpuset": "1-2"},
        {"emulator": "2-3"},
        {"iothreads": 1, "iothread_pins": {1: "1-2"}},
    ],
)
@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_a_mask_of_several_cpus_with_isolated_ones_is_found(words: dict[str, Any], goal: str) -> None:
    finding = found(RULE, HOST, a_domain(**words), goal=goal)
    assert (finding.severity, finding.safety) == (Severity.CRITICAL, Safety.MANUAL)
    assert "are isolated" in finding.saw
    assert "virsh vcpupin" in finding.by_hand[0]


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"pins": {0: "2", 1: "3"}},
        {"pins": {0: "0-1"}, "emulator": "0-1"},
        {"iothreads": 1, "iothread_pins": {1: "7"}},
    ],
)
def test_one_cpu_each_or_none_isolated_is_right(words: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_domain(**words), goal="latency")


def test_a_host_without_isolated_cpus_is_silent() -> None:
    assert silent(RULE, a_host(cores=8), a_domain(pins={0: "2-3"}), goal="latency")


def test_goal_balanced_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(pins={0: "2-3"}))


def with_thread(kind: str, allowed: str) -> Any:
    thread = GuestThread(tid=7, name="a thread", kind=kind, number=0, allowed=CpuSet.parse(allowed), last_cpu=0)
    return changed(a_domain(), running_state=a_fact(Running, threads=(thread,)))


def test_a_thread_that_runs_there_is_found_whatever_the_xml_says() -> None:
    finding = found(RULE, HOST, with_thread("vcpu", "1-2"), goal="latency")
    assert "vCPU 0 may run on CPUs 1-2, of which 2 are isolated (/proc/PID/task)" in finding.saw


@pytest.mark.parametrize(("kind", "allowed"), [("vcpu", "2"), ("vcpu", "0-1"), ("worker", "1-2")])
def test_other_threads_are_silent(kind: str, allowed: str) -> None:
    assert silent(RULE, HOST, with_thread(kind, allowed), goal="latency")
