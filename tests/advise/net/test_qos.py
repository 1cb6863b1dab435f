"""net.qos: a guest runs into the bandwidth that it is allowed."""

from __future__ import annotations

import pytest

from tests.advise.net.builders import interface
from tests.builders import a_domain, a_host, judged, silent

RULE = "net.qos"


def limited(inside: str) -> str:
    return interface(inside=f"<bandwidth>{inside}</bandwidth>")


@pytest.mark.parametrize("side", ["inbound", "outbound"])
@pytest.mark.parametrize("goal", ["throughput", "balanced"])
def test_a_limit_needs_a_window(side: str, goal: str) -> None:
    result = judged(RULE, a_host(), a_domain(devices=limited(f"<{side} average='1000'/>")), goal=goal)
    assert "no window" in result.not_checked[0].reason
    assert not result.findings


def test_without_a_limit_there_is_nothing() -> None:
    assert silent(RULE, a_host(), a_domain(devices=interface()))


def test_a_shut_off_guest_reaches_no_limit() -> None:
    assert silent(RULE, a_host(), a_domain(devices=limited("<inbound average='1'/>"), running=False))


def test_the_running_guests_limit_counts() -> None:
    guest = a_domain(devices=interface(), live={"devices": limited("<inbound average='1'/>")})
    assert judged(RULE, a_host(), guest).not_checked


@pytest.mark.parametrize("goal", ["latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert not judged(RULE, a_host(), a_domain(devices=limited("<inbound average='1'/>")), goal=goal).not_checked
