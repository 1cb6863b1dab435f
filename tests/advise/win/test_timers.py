"""win.timers: a Windows guest has slow or drifting clocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.parts import a_domain_with, saying
from tests.builders import a_domain, a_host, judged, silent, values

RULE = "win.timers"
HOST = a_host()
WINDOWS = saying("win11")
RIGHT = {"hypervclock": "present='yes'", "hpet": "present='no'", "rtc": "tickpolicy='catchup'"}


def clock(offset: str = "localtime", **timers: str) -> str:
    inside = "".join(f"<timer name='{name}' {words}/>" for name, words in (RIGHT | timers).items() if words)
    return f"<clock offset='{offset}'>{inside}</clock>"


def test_windows_without_timers_gets_all_of_them() -> None:
    offset, timers = sorted(
        judged(RULE, HOST, a_domain(), intent=WINDOWS).findings, key=lambda one: one.severity.value, reverse=True
    )
    assert (offset.severity, offset.safety) == (Severity.INFO, Safety.MANUAL)
    assert (timers.severity, timers.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    assert values(timers) == {
        "domain_xml:clock/@offset": "utc",
        "domain_xml:clock/timer[hypervclock]/@present": "yes",
        "domain_xml:clock/timer[hpet]/@present": "no",
        "domain_xml:clock/timer[rtc]/@tickpolicy": "catchup",
        "domain_xml:clock/timer[pit]/@tickpolicy": "delay",
    }


def test_right_timers_are_silent() -> None:
    assert silent(RULE, HOST, a_domain_with(clock()), intent=WINDOWS)


@pytest.mark.parametrize(
    ("timers", "word", "path", "value"),
    [
        ({"hypervclock": ""}, "hypervclock", "hypervclock]/@present", "yes"),
        ({"hypervclock": "present='no'"}, "hypervclock", "hypervclock]/@present", "yes"),
        ({"hpet": ""}, "hpet", "hpet]/@present", "no"),
        ({"hpet": "present='yes'"}, "hpet", "hpet]/@present", "no"),
        ({"rtc": "tickpolicy='delay'"}, "rtc", "rtc]/@tickpolicy", "catchup"),
    ],
)
def test_each_timer_is_judged_alone(timers: dict[str, str], word: str, path: str, value: str) -> None:
    (finding,) = judged(RULE, HOST, a_domain_with(clock(**timers, pit="tickpolicy='delay'")), intent=WINDOWS).findings
    assert word in finding.saw
    assert values(finding) == {f"domain_xml:clock/timer[{path}": value}


@pytest.mark.parametrize(("offset", "told"), [("utc", True), ("localtime", False), ("timezone", False)])
def test_only_utc_is_told(offset: str, told: bool) -> None:
    findings = judged(RULE, HOST, a_domain_with(clock(offset)), intent=WINDOWS).findings
    assert [one.severity for one in findings] == ([Severity.INFO] if told else [])


def test_other_guests_are_not_judged() -> None:
    assert silent(RULE, HOST, a_domain())
    assert silent(RULE, HOST, a_domain(virt_type="qemu"), intent=WINDOWS)


def test_goal_throughput_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain_with(windows=True), goal="throughput")


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = replace(a_domain(), persistent=False, inactive=None)
    assert {one.safety for one in judged(RULE, HOST, guest, intent=WINDOWS).findings} == {Safety.MANUAL}
