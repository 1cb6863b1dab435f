"""dev.timer.linux: a Linux guest is given slow timers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.advise.intent import Goal, Intent
from tests.advise.parts import a_domain_with, saying
from tests.builders import a_domain, a_host, found, silent, values

RULE = "dev.timer.linux"
HOST = a_host()
RIGHT = "<timer name='hpet' present='no'/>"


def clock(inside: str) -> str:
    return f"<clock offset='utc'>{inside}</clock>"


def of(os: str, goal: str = "latency") -> Intent:
    return replace(saying(os), goal=Goal(goal))


@pytest.mark.parametrize("goal", ["latency", "density"])
def test_a_guest_without_a_clock_gets_good_timers(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(), intent=of("debian", goal))
    assert values(finding) == {
        "domain_xml:clock/@offset": "utc",
        "domain_xml:clock/timer[hpet]/@present": "no",
        "domain_xml:clock/timer[rtc]/@tickpolicy": "catchup",
        "domain_xml:clock/timer[pit]/@tickpolicy": "delay",
    }
    assert (finding.severity, finding.safety, finding.sure) == (Severity.LOW, Safety.DISRUPTIVE, Sure.CERTAIN)


def test_kvmclock_that_is_off_comes_back() -> None:
    rest = "<timer name='rtc' tickpolicy='delay'/><timer name='pit' tickpolicy='delay'/>"
    guest = a_domain_with(clock(f"{RIGHT}{rest}<timer name='kvmclock' present='no'/>"))
    assert values(found(RULE, HOST, guest, goal="latency")) == {"domain_xml:clock/timer[kvmclock]/@present": "yes"}


def test_a_guest_of_unknown_system_is_taken_for_linux() -> None:
    finding = found(RULE, HOST, a_domain(), goal="latency")
    assert finding.sure is Sure.LIKELY
    assert "taken for Linux" in (finding.note or "")


@pytest.mark.parametrize("inside", [RIGHT, f"{RIGHT}<timer name='kvmclock' present='yes'/>"])
def test_right_timers_are_silent(inside: str) -> None:
    assert silent(RULE, HOST, a_domain_with(clock(inside)), goal="latency")


@pytest.mark.parametrize("os", ["windows", "freebsd", "http://freebsd.org/freebsd/14.0"])
def test_other_systems_are_not_judged(os: str) -> None:
    assert silent(RULE, HOST, a_domain(), intent=of(os))


def test_emulated_and_foreign_guests_are_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(virt_type="qemu"), goal="latency")
    assert silent(RULE, HOST, a_domain(arch="aarch64"), goal="latency")


def test_goal_balanced_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain())


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = replace(a_domain(), persistent=False, inactive=None)
    assert found(RULE, HOST, guest, goal="latency").safety is Safety.MANUAL
