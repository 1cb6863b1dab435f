"""What was said of a guest stands above what was said of the host, and each word says whose it is."""

from __future__ import annotations

import pytest

from kvmnb.advise.aim import Aim
from kvmnb.advise.intent import ASKED, FILE, Goal, GuestIntent, Intent, Overlay, Policy
from kvmnb.facts.domain import Domain
from tests.advise.disk.builders import DEBIAN, WINDOWS, says_os
from tests.builders import a_domain, uuid_of

WIN, SAFE = frozenset([Overlay.WINDOWS]), frozenset([Overlay.SECURITY])
PLAIN = a_domain("web")
LINUX = says_os(PLAIN, DEBIAN)


def of_web(**words: object) -> dict[str, GuestIntent]:
    return {"web": GuestIntent(**words)}  # type: ignore[arg-type]


def test_the_uuid_is_heard_before_the_name_and_neither_is_silence() -> None:
    by_name, by_uuid = GuestIntent(os="debian12"), GuestIntent(os="rhel9")
    assert Intent(guest={"web": by_name, uuid_of("web"): by_uuid}).said(PLAIN) is by_uuid
    assert Intent(guest={"web": by_name}).said(PLAIN) is by_name
    assert Intent(guest={"db": by_name}).said(PLAIN) == GuestIntent()


def test_a_guests_goal_stands_above_the_hosts() -> None:
    both = Intent(goal=Goal.DENSITY, overlays=SAFE, guest=of_web(goal=Goal.LATENCY, overlays=WIN), aim_by=ASKED)
    assert (both.goal_of(PLAIN), both.goal_of(a_domain("db"))) == (Goal.LATENCY, Goal.DENSITY)
    assert both.aim == Aim(Goal.DENSITY, SAFE)
    assert both.aim_of(PLAIN) == Aim(Goal.LATENCY, SAFE | WIN)
    assert both.says_goal(PLAIN) == "goal latency ('web' in kvmnb.toml)"
    assert both.says_goal(a_domain("db")) == both.says_goal(None) == "goal density (asked for)"
    assert Intent().says_goal(None) is Intent().says_goal(PLAIN) is None


@pytest.mark.parametrize(
    ("policy", "dedicated"), [(Policy.DEDICATED, True), (Policy.SHARED, False), (Policy.FLOATING, False)]
)
def test_a_policy_decides_whatever_goal_and_pins_say(policy: Policy, dedicated: bool) -> None:
    pinned = a_domain("web", pins={0: "1", 1: "2"})
    intent = Intent(goal=Goal.LATENCY, guest=of_web(policy=policy))
    assert intent.dedicated(pinned) is dedicated
    assert intent.says_policy(pinned) == f"policy {policy.value} ('web' in kvmnb.toml)"


def test_without_a_policy_the_goal_or_pins_on_every_vcpu_decide() -> None:
    assert Intent().says_policy(PLAIN) is None
    assert not Intent().dedicated(PLAIN)
    assert Intent(goal=Goal.LATENCY).dedicated(PLAIN)
    assert Intent().dedicated(a_domain("web", pins={0: "1", 1: "2"}))
    assert not Intent().dedicated(a_domain("web", pins={0: "1"}))


@pytest.mark.parametrize(
    ("intent", "domain", "windows", "said"),
    [
        (Intent(), PLAIN, False, None),
        (Intent(), says_os(PLAIN, WINDOWS), True, None),
        (Intent(guest=of_web(os="Windows 11")), LINUX, True, "os Windows 11 ('web' in kvmnb.toml)"),
        (Intent(guest=of_web(os="debian12")), says_os(PLAIN, WINDOWS), False, "os debian12 ('web' in kvmnb.toml)"),
        (Intent(guest=of_web(os="x" * 41)), PLAIN, False, f"os {'x' * 40} ('web' in kvmnb.toml)"),
        (Intent(guest=of_web(overlays=WIN)), LINUX, True, "overlay windows ('web' in kvmnb.toml)"),
        (Intent(guest=of_web(overlays=SAFE)), PLAIN, False, None),
        (Intent(overlays=WIN), PLAIN, True, "overlay windows (kvmnb.toml)"),
        (Intent(overlays=WIN, aim_by=ASKED), PLAIN, True, "overlay windows (asked for)"),
        (Intent(overlays=WIN), LINUX, False, None),
        (Intent(overlays=SAFE), PLAIN, False, None),
    ],
)
def test_who_says_that_a_guest_runs_windows(intent: Intent, domain: Domain, windows: bool, said: str | None) -> None:
    assert (intent.windows(domain), intent.says_windows(domain)) == (windows, said)


def test_an_overlay_of_the_host_is_the_word_of_whoever_set_the_aim() -> None:
    intent = Intent(overlays=SAFE, aim_by=ASKED, guest=of_web(overlays=WIN))
    assert intent.says_overlay(Overlay.WINDOWS, PLAIN) == f"overlay windows ('web' in {FILE})"
    assert intent.says_overlay(Overlay.SECURITY, PLAIN) == intent.says_overlay(Overlay.SECURITY, None)
    assert intent.says_overlay(Overlay.SECURITY, None) == "overlay security (asked for)"


def test_an_intent_is_a_value_with_names_for_all_its_parts() -> None:
    for kind in (Intent, GuestIntent):
        with pytest.raises(TypeError):
            kind(Goal.LATENCY)  # type: ignore[call-arg]
        with pytest.raises(AttributeError):
            setattr(kind(), "goal", Goal.LATENCY)  # noqa: B010
        assert not hasattr(kind(), "__dict__")
