"""kvm.halt_poll: the host's halt polling does not fit the goal."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.host import Host
from tests.advise.parts import a_host_with, parameters
from tests.builders import a_host, found, judged, silent, values

RULE = "kvm.halt_poll"
FILE = "sysfs:module/kvm/parameters/halt_poll_ns"


def polling(value: str | None) -> Host:
    return a_host_with(parameters=parameters(kvm__halt_poll_ns=value))


@pytest.mark.parametrize(
    ("goal", "value", "better"),
    [
        ("latency", "0", "200000"),
        ("latency", "500001", "200000"),
        ("balanced", "500001", "200000"),
        ("density", "500001", "50000"),
        ("density", "50001", "50000"),
    ],
)
def test_a_time_that_does_not_fit_is_set(goal: str, value: str, better: str) -> None:
    finding = found(RULE, polling(value), goal=goal)
    assert values(finding) == {FILE: better}
    assert finding.safety is Safety.SAFE
    assert f"{value} ns" in finding.saw


@pytest.mark.parametrize(
    ("goal", "value"),
    [
        ("latency", "1"),
        ("latency", "500000"),
        ("balanced", "0"),
        ("balanced", "200000"),
        ("density", "0"),
        ("density", "50000"),
        ("throughput", "900000"),
    ],
)
def test_other_times_are_silent(goal: str, value: str) -> None:
    assert silent(RULE, polling(value), goal=goal)


def test_for_density_the_usual_time_is_only_likely_too_long() -> None:
    finding = found(RULE, polling("200000"), goal="density")
    assert (finding.severity, finding.sure) == (Severity.LOW, Sure.LIKELY)
    assert "not measured" in (finding.note or "")


def test_without_kvm_there_is_nothing_to_judge() -> None:
    assert silent(RULE, a_host(), goal="latency")


@pytest.mark.parametrize("value", [None, "many"])
def test_a_time_that_cannot_be_read_is_not_checked(value: str | None) -> None:
    assert judged(RULE, polling(value), goal="latency").not_checked
