"""cpu.clocksource: the host does not take its time from the TSC."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.gap import changed
from tests.advise.parts import a_host_with
from tests.builders import a_host, found, silent

RULE = "cpu.clocksource"


@pytest.mark.parametrize("clock", ["hpet", "acpi_pm", "jiffies"])
@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_a_slow_clock_is_found(clock: str, goal: str) -> None:
    finding = found(RULE, a_host_with(clocksource=clock, clocksources=("tsc", clock)), goal=goal)
    assert f"the clock is {clock}, of tsc, {clock}" in finding.saw
    assert (finding.severity, finding.safety, finding.note) == (Severity.HIGH, Safety.MANUAL, None)


def test_a_clock_that_somebody_forced_is_told() -> None:
    finding = found(RULE, a_host_with(clocksource="hpet", command_line=("clocksource=hpet",)))
    assert "booted with clocksource=hpet" in finding.saw
    assert any("Remove clocksource=hpet" in line for line in finding.by_hand)
    assert "does not offer the TSC" in (finding.note or "")


@pytest.mark.parametrize("clock", ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", None])
def test_fast_clocks_are_right(clock: str | None) -> None:
    assert silent(RULE, a_host_with(clocksource=clock))


def test_other_architectures_have_other_clocks() -> None:
    assert silent(RULE, a_host_with(changed(a_host(), arch="aarch64"), clocksource="jiffies"))


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, a_host_with(clocksource="hpet"), goal="density")
