"""cpu.mitigation.host: the host's CPU has weaknesses that nothing mitigates."""

from __future__ import annotations

import pytest

from kvmnb.advise.aim import Overlay
from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.advise.intent import Intent
from tests.advise.parts import a_host_with, vulnerabilities
from tests.builders import a_domain, a_host, found, judged, silent

RULE = "cpu.mitigation.host"


@pytest.mark.parametrize("state", ["Vulnerable", "Vulnerable: No microcode", "Mitigation: Retpolines; BHI: Vulnerable"])
@pytest.mark.parametrize("goal", ["balanced", "latency"])
def test_what_is_open_is_told(state: str, goal: str) -> None:
    finding = found(RULE, a_host_with(vulnerabilities=vulnerabilities(mds=state, l1tf="Not affected")), goal=goal)
    assert finding.saw == f"mds: {state} (/sys/devices/system/cpu/vulnerabilities)"
    assert (finding.severity, finding.safety, finding.wants) == (Severity.HIGH, Safety.MANUAL, ())


@pytest.mark.parametrize("state", ["Not affected", "Mitigation: PTI", "Unknown: No mitigations"])
def test_what_is_closed_is_silent(state: str) -> None:
    assert silent(RULE, a_host_with(vulnerabilities=vulnerabilities(mds=state)), a_domain())


SMT = vulnerabilities(mds="Mitigation: Clear CPU buffers; SMT vulnerable")


def test_what_is_open_between_threads_of_a_core_is_possible_while_guests_run() -> None:
    finding = found(RULE, a_host_with(vulnerabilities=SMT), a_domain())
    assert (finding.severity, finding.sure) == (Severity.MEDIUM, Sure.POSSIBLE)
    assert "trust each other" in (finding.note or "")


def test_without_running_guests_it_is_silent_between_threads() -> None:
    assert silent(RULE, a_host_with(vulnerabilities=SMT), a_domain(running=False))


def test_mitigations_that_are_off_are_high_and_with_several_guests_critical() -> None:
    host = a_host_with(command_line=("quiet", "mitigations=off"))
    assert found(RULE, host, a_domain()).severity is Severity.HIGH
    both = judged(RULE, host, a_domain("one"), a_domain("two")).findings
    assert [(one.severity, one.sure) for one in both] == [(Severity.CRITICAL, Sure.POSSIBLE)]


@pytest.mark.parametrize("word", ["mitigations=auto", "mitigations=auto,nosmt"])
def test_other_words_at_boot_are_silent(word: str) -> None:
    assert silent(RULE, a_host_with(a_host(), command_line=(word,)), a_domain())


OFF = a_host_with(command_line=("quiet", "mitigations=off"))
WHOSE = "rests on: whether its guests belong to different people, which only a person knows"
SECURE = Intent(overlays=frozenset({Overlay.SECURITY}))


@pytest.mark.parametrize(
    ("intent", "guests", "severity", "sure", "note"),
    [
        (Intent(), 1, Severity.HIGH, Sure.CERTAIN, WHOSE),
        (Intent(), 2, Severity.CRITICAL, Sure.POSSIBLE, WHOSE),
        (Intent(), 3, Severity.CRITICAL, Sure.POSSIBLE, WHOSE),
        (SECURE, 1, Severity.CRITICAL, Sure.CERTAIN, "rests on: overlay security (kvmnb.toml)"),
        (SECURE, 3, Severity.CRITICAL, Sure.CERTAIN, "rests on: overlay security (kvmnb.toml)"),
    ],
)
def test_how_grave_it_is_without_mitigations_rests_on_whose_the_guests_are(
    intent: Intent, guests: int, severity: Severity, sure: Sure, note: str
) -> None:
    (finding,) = judged(RULE, OFF, *(a_domain(f"guest{one}") for one in range(guests)), intent=intent).findings
    words = f"the kernel was booted with mitigations=off (/proc/cmdline), and libvirt knows {guests} guests"
    assert (finding.saw, finding.severity, finding.sure, finding.note) == (words, severity, sure, note)


def test_between_threads_the_security_overlay_makes_it_certain_and_grave() -> None:
    finding = found(RULE, a_host_with(vulnerabilities=SMT), a_domain(), intent=SECURE)
    assert (finding.severity, finding.sure) == (Severity.HIGH, Sure.CERTAIN)
