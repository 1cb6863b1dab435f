"""kvm.halt_poll: the host's halt polling does not fit the goal."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.gap import Gap
from kvmnb.facts.host import Host
from kvmnb.facts.load import GuestLoad
from tests.advise.parts import a_host_with, parameters
from tests.advise.windows import a_guest_load, a_window
from tests.builders import a_domain, a_host, found, judged, silent, values

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


@pytest.mark.parametrize(("ratio", "severity"), [(0.0, Severity.INFO), (0.1, Severity.INFO), (0.11, Severity.MEDIUM)])
def test_a_window_shows_how_much_polling_is_in_vain(ratio: float, severity: Severity) -> None:
    load = a_window(a_guest_load(polled_in_vain_ratio=ratio / 2), a_guest_load(name="web", polled_in_vain_ratio=ratio))
    guests = a_domain(), a_domain("web")
    finding = found(RULE, polling("200000"), *guests, goal="density", load=load)
    assert (finding.severity, finding.sure) == (severity, Sure.CERTAIN)
    assert f"most in vain: {ratio:.0%} of its CPU time over 10 s" in (finding.note or "")


def test_the_guest_that_wastes_most_is_named() -> None:
    load = a_window(a_guest_load(polled_in_vain_ratio=0.2), a_guest_load(name="web", polled_in_vain_ratio=0.4))
    finding = found(RULE, polling("200000"), a_domain(), a_domain("web"), goal="density", load=load)
    assert finding.note == "'web' polls most in vain: 40% of its CPU time over 10 s"


@pytest.mark.parametrize(
    "guest",
    [
        a_guest_load(),
        a_guest_load(name="other", polled_in_vain_ratio=1.0),
        a_guest_load(polled_in_vain_ratio=Gap("n", "late")),
    ],
)
def test_a_window_that_does_not_count_polling_tells_nothing(guest: GuestLoad) -> None:
    finding = found(RULE, polling("200000"), a_domain(), goal="density", load=a_window(guest))
    assert (finding.severity, finding.sure) == (Severity.LOW, Sure.LIKELY)
    assert "not measured" in (finding.note or "")


def test_a_time_that_is_too_long_for_any_goal_needs_no_window() -> None:
    load = a_window(a_guest_load(polled_in_vain_ratio=0.0))
    finding = found(RULE, polling("500001"), a_domain(), goal="density", load=load)
    assert (finding.severity, finding.sure, finding.note) == (Severity.MEDIUM, Sure.CERTAIN, None)
