"""A goal with overlays: its words, and how it makes rules speak."""

from __future__ import annotations

import pytest

from kvmnb.advise.aim import Aim, Goal, Overlay, parse_aim
from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.intent import GuestIntent, Intent
from kvmnb.advise.intent_file import asked
from kvmnb.advise.registry import audit, rules
from kvmnb.advise.voice import Tone
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.kernel import Ksm
from tests.advise.mem.builders import a_memory_guest
from tests.advise.parts import a_host_with, vulnerabilities
from tests.builders import a_domain, a_fact, a_host, found, silent

WINDOWS, SECURITY = frozenset((Overlay.WINDOWS,)), frozenset((Overlay.SECURITY,))


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        ("latency", Aim(Goal.LATENCY)),
        ("windows", Aim(None, WINDOWS)),
        ("security+density+windows", Aim(Goal.DENSITY, WINDOWS | SECURITY)),
    ],
)
def test_an_aim_is_read_from_its_words_in_any_order(text: str, aim: Aim) -> None:
    assert parse_aim(text) == aim
    assert parse_aim(str(aim)) == aim


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fast", "'fast' is no goal; the goals are balanced, throughput, latency, density, and windows, security"),
        ("latency+", "'' is no goal"),
        ("latency+density", "names two goals"),
        ("windows+windows", "the same word twice"),
        ("Latency", "'Latency' is no goal"),
    ],
)
def test_words_that_are_no_aim_are_refused(text: str, words: str) -> None:
    with pytest.raises(KvmnbError) as refusal:
        parse_aim(text)
    assert words in str(refusal.value)


def test_a_guest_keeps_the_host_s_overlays_and_its_own_goal() -> None:
    intent = Intent(
        goal=Goal.DENSITY, overlays=SECURITY, guest={"guest": GuestIntent(goal=Goal.LATENCY, overlays=WINDOWS)}
    )
    assert intent.aim_of(a_domain()) == Aim(Goal.LATENCY, WINDOWS | SECURITY)
    assert intent.aim_of(a_domain("other")) == Aim(Goal.DENSITY, SECURITY)


def test_under_the_windows_overlay_a_guest_that_tells_nothing_is_windows() -> None:
    guest = a_domain()
    assert silent("win.timers", a_host(), guest)
    finding = audit(a_host(), [guest], asked(Intent(), "throughput+windows"), only=["win.timers"]).findings[-1]
    assert finding.rests_on == ("overlay windows (asked for)",)
    assert silent("win.timers", a_host(), guest, goal="throughput")
    own = Intent(overlays=WINDOWS, guest={"guest": GuestIntent(os="debian")})
    assert silent("win.timers", a_host(), guest, intent=own)


def test_under_the_security_overlay_what_lowers_security_is_left_to_a_person() -> None:
    guest = a_domain()
    usual = found("dev.agent", a_host(), guest)
    weighed = found("dev.agent", a_host(), guest, intent=asked(Intent(), "balanced+security"))
    assert (usual.safety, bool(usual.wants)) == (Safety.DISRUPTIVE, True)
    assert (weighed.safety, weighed.wants, weighed.severity) == (Safety.MANUAL, (), usual.severity)
    assert weighed.by_hand == tuple(want.tunable.command(want.value) for want in usual.wants)
    assert "left to a person: the host can then act in the guest" in (weighed.note or "")
    assert weighed.rests_on == ("overlay security (asked for)",)


@pytest.mark.parametrize(
    ("merged", "available", "wants", "safety"),
    [(10, 41_000, ["2"], Safety.DISRUPTIVE), (10, 40_960, [], Safety.MANUAL), (10, None, [], Safety.MANUAL)],
)
def test_merging_between_guests_that_do_not_trust_each_other_is_grave(
    merged: int, available: int | None, wants: list[str], safety: Safety
) -> None:
    ksm = a_fact(Ksm, run=1, pages_sharing=merged, pages_shared=1, general_profit=None)
    host = a_host_with(ksm=ksm, available_bytes=available)
    guests = [a_memory_guest(name).domain for name in ("one", "two")]
    finding = audit(host, guests, asked(Intent(), "security"), only=["mem.ksm"]).findings[0]
    assert (finding.severity, finding.safety, [want.value for want in finding.wants]) == (Severity.HIGH, safety, wants)
    assert finding.subject == "host/ksm/tenants"
    assert not audit(host, guests, Intent(), only=["mem.ksm"]).findings
    assert not audit(host, guests[:1], asked(Intent(), "security"), only=["mem.ksm"]).findings


def test_merging_is_never_switched_on_between_guests_that_do_not_trust_each_other() -> None:
    ksm = a_fact(Ksm, run=0, pages_sharing=0, pages_shared=0, merge_across_nodes=0, advisor_mode=None)
    host = a_host_with(ksm=ksm, memory_bytes=100, available_bytes=1)
    guests = [a_memory_guest(name).domain for name in ("one", "two", "three")]
    assert audit(host, guests, asked(Intent(), "density"), only=["mem.ksm"]).findings
    assert not audit(host, guests, asked(Intent(), "density+security"), only=["mem.ksm"]).findings


def test_what_is_open_between_threads_is_graver_where_guests_do_not_trust_each_other() -> None:
    host = a_host_with(command_line=(), vulnerabilities=vulnerabilities(mds="Mitigation: Clear; SMT vulnerable"))
    graves = [
        found("cpu.mitigation.host", host, a_domain(), intent=intent).severity
        for intent in (Intent(), asked(Intent(), "security"))
    ]
    assert graves == [Severity.MEDIUM, Severity.HIGH]


def test_every_voice_gives_its_reason_and_changes_something() -> None:
    for rule in rules():
        for aim, voice in rule.voices.items():
            assert len(voice.why) > 15, rule.id
            assert isinstance(aim, Overlay) or aim in rule.goals or voice.tone is Tone.SPEAKS, rule.id


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x" * 41, "x" * 40), ("latency+" * 8 + "latency", ("latency+" * 8)[:60])],
)
def test_a_long_text_is_cut_in_the_error(text: str, shown: str) -> None:
    with pytest.raises(KvmnbError) as error:
        parse_aim(text)
    assert repr(shown) in str(error.value)
