"""cpu.freq.cstates: deep idle states make the host's CPUs wake up late."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.cpu import IdleState
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.host import Host
from kvmnb.facts.load import CpuLoad, IdleLoad, Load
from tests.advise.windows import a_cpu_load, a_window
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


def slept(cpu: int, **states: float) -> CpuLoad:
    return a_cpu_load(cpu, idle=tuple(IdleLoad(name=name, entered_per_second=rate) for name, rate in states.items()))


@pytest.mark.parametrize(("rate", "severity"), [(0.0, Severity.INFO), (100.0, Severity.INFO), (101.0, Severity.LOW)])
def test_a_window_shows_how_often_a_cpu_sleeps_deep(rate: float, severity: Severity) -> None:
    load = a_window(cpus=(slept(0, C1=5000, C6=rate / 2), slept(1, C1=5000, C6=rate)))
    finding = found(RULE, a_host_that_sleeps(71), a_domain(), goal="latency", load=load)
    assert (finding.severity, finding.sure) == (severity, Sure.CERTAIN)
    assert f"{rate:.0f} times/s over 10 s" in (finding.note or "")


def test_the_cpu_that_sleeps_most_is_named_with_all_its_deep_states() -> None:
    host = a_host_that_sleeps(71)
    deeper = IdleState(name="C8", latency_us=200, disabled=None)
    host = changed(host, cpus=tuple(changed(cpu, idle_states=(*cpu.idle_states, deeper)) for cpu in host.cpus))
    load = a_window(cpus=(slept(0, C6=60, C8=60), slept(1, C6=100, C8=0)))
    note = found(RULE, host, a_domain(), goal="latency", load=load).note
    assert note == "CPU 0 entered them most often: 120 times/s over 10 s"


@pytest.mark.parametrize(
    "load", [a_window(), a_window(cpus=Gap("cpus", "late")), a_window(cpus=(slept(0), slept(7, C6=500)))]
)
def test_a_window_that_does_not_show_the_states_tells_nothing(load: Load) -> None:
    finding = found(RULE, a_host_that_sleeps(71), a_domain(), goal="latency", load=load)
    assert (finding.severity, finding.sure) == (Severity.LOW, Sure.LIKELY)
    assert "not measured" in (finding.note or "")
