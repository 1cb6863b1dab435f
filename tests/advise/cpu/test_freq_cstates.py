"""cpu.freq.cstates: deep idle states make the host's CPUs wake up late."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.cpu import IdleState
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from tests.builders import a_domain, a_host, found, silent

RULE = "cpu.freq.cstates"


def a_host_that_sleeps(latency_us: int, disabled: bool | None = False, offline: str = "") -> Host:
    host = a_host(cores=2, offline=offline)
    state = IdleState(name="C6", latency_us=latency_us, disabled=disabled)
    return changed(host, cpus=tuple(changed(cpu, idle_states=(state,)) for cpu in host.cpus))


@pytest.mark.parametrize("disabled", [False, None])
def test_a_deep_state_is_likely_to_hurt(disabled: bool | None) -> None:
    finding = found(RULE, a_host_that_sleeps(71, disabled), a_domain(), goal="latency")
    assert "C6 (71 µs) on CPUs 0-1" in finding.saw
    assert (finding.severity, finding.sure, finding.safety) == (Severity.LOW, Sure.LIKELY, Safety.MANUAL)
    assert "not measured" in (finding.note or "")


def test_light_and_disabled_states_are_right() -> None:
    assert silent(RULE, a_host_that_sleeps(70), a_domain(), goal="latency")
    assert silent(RULE, a_host_that_sleeps(200, disabled=True), a_domain(), goal="latency")


def test_an_offline_cpu_does_not_count() -> None:
    assert found(RULE, a_host_that_sleeps(100, offline="1"), a_domain(), goal="latency").saw.endswith(
        "CPUs 0 (cpu*/cpuidle)"
    )


def test_without_running_guests_nobody_waits() -> None:
    assert silent(RULE, a_host_that_sleeps(200), a_domain(running=False), goal="latency")


@pytest.mark.parametrize("goal", ["balanced", "throughput", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, a_host_that_sleeps(200), a_domain(), goal=goal)
