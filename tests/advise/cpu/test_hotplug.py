"""cpu.hotplug: a busy guest has vCPUs that are not plugged in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import a_domain, a_host, judged, silent

RULE = "cpu.hotplug"
HOST = a_host()


@pytest.mark.parametrize("goal", ["throughput", "balanced"])
def test_a_guest_with_room_needs_a_window(goal: str) -> None:
    result = judged(RULE, HOST, a_domain(vcpus=4, current=2), goal=goal)
    assert not result.findings
    assert "the 2 of 4 vCPUs" in result.not_checked[0].reason
    assert "no window" in result.not_checked[0].reason


@pytest.mark.parametrize(
    "words", [{"vcpus": 4}, {"vcpus": 4, "current": 4}, {"vcpus": 4, "current": 2, "running": False}]
)
def test_a_guest_without_room_or_off_is_silent(words: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_domain(**words))


def test_goal_latency_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=4, current=2), goal="latency")
