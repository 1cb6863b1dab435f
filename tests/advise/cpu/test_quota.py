"""cpu.quota: a quota holds the guest's CPU time back."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.load import Load
from tests.advise.parts import a_domain_with
from tests.advise.windows import a_guest_load, a_window
from tests.builders import a_host, found, silent

RULE = "cpu.quota"
HOST = a_host()


def cputune(inside: str) -> str:
    return f"<cputune>{inside}</cputune>"


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_a_quota_is_told_and_no_more(goal: str) -> None:
    finding = found(RULE, HOST, a_domain_with(cputune("<period>50000</period><quota>20000</quota>")), goal=goal)
    assert "quota 20000 µs of every 50000 µs (persistent XML and live XML)" in finding.saw
    assert (finding.severity, finding.safety) == (Severity.INFO, Safety.MANUAL)
    assert "not measured" in (finding.note or "")
    assert finding.by_hand[0].startswith("virsh schedinfo guest --config --live --set vcpu_quota=-1")


@pytest.mark.parametrize("name", ["global_quota", "emulator_quota", "iothread_quota"])
def test_each_kind_of_quota_is_told(name: str) -> None:
    finding = found(RULE, HOST, a_domain_with(cputune(f"<{name}>1000</{name}>"), running=False))
    assert f"{name} 1000 µs of every 100000 µs (persistent XML)" in finding.saw
    assert f"--config --set {name}=-1" in finding.by_hand[0]


@pytest.mark.parametrize("inside", ["", "<quota>-1</quota>", "<quota>0</quota>", "<shares>100</shares>"])
def test_no_limit_is_silent(inside: str) -> None:
    assert silent(RULE, HOST, a_domain_with(cputune(inside)))


def test_a_quota_of_the_running_guest_alone_is_told() -> None:
    guest = a_domain_with(live=cputune("<quota>1000</quota>"))
    assert "(live XML)" in found(RULE, HOST, guest).saw


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain_with(cputune("<quota>1000</quota>")), goal="density")


def over(seconds: float, ratio: float | None) -> Load:
    return a_window(a_guest_load(throttled_ratio=ratio), seconds=seconds)


@pytest.mark.parametrize(
    ("ratio", "severity"), [(0.0, Severity.INFO), (0.01, Severity.INFO), (0.011, Severity.HIGH), (1.0, Severity.HIGH)]
)
def test_a_window_shows_whether_the_guest_runs_into_it(ratio: float, severity: Severity) -> None:
    finding = found(RULE, HOST, a_domain_with(cputune("<quota>1000</quota>")), load=over(60, ratio))
    assert (finding.severity, finding.sure) == (severity, Sure.CERTAIN)
    assert finding.note == f"the quota cut {ratio:.1%} of its periods short over 60 s"


def test_a_short_window_may_show_a_burst() -> None:
    finding = found(RULE, HOST, a_domain_with(cputune("<quota>1000</quota>")), load=over(59, 0.5))
    assert "59 s were measured, which may be a burst: 60 s or more tell" in (finding.note or "")


@pytest.mark.parametrize(
    "load", [a_window(), a_window(a_guest_load(name="other", throttled_ratio=1.0)), over(60, None)]
)
def test_a_window_that_does_not_show_the_guests_quota_tells_nothing(load: Load) -> None:
    finding = found(RULE, HOST, a_domain_with(cputune("<quota>1000</quota>")), load=load)
    assert (finding.severity, finding.sure) == (Severity.INFO, Sure.LIKELY)
    assert "load not measured" in (finding.note or "")
