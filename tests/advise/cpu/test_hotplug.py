"""cpu.hotplug: a busy guest has vCPUs that are not plugged in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.advise.windows import a_guest_load, a_window
from tests.builders import a_domain, a_host, found, judged, silent

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


@pytest.mark.parametrize(
    ("vcpus", "fires"),
    [
        ([(0.91, 0.0), (0.95, 0.0)], True),
        ([(0.90, 0.0), (1.0, 0.0)], False),
        ([(0.92, 0.05), (0.92, 0.05)], False),
        ([], False),
    ],
)
def test_vcpus_that_are_all_busy_on_a_host_with_time_are_told(vcpus: list[tuple[float, float]], fires: bool) -> None:
    guest, load = a_domain(vcpus=4, current=2), a_window(a_guest_load(vcpus))
    assert silent(RULE, HOST, guest, load=load) is not fires
    if fires:
        assert "virsh setvcpus guest 4 --live" in found(RULE, HOST, guest, load=load).by_hand[0]


def test_a_guest_that_the_window_does_not_show_is_not_checked() -> None:
    assert "does not show" in judged(RULE, HOST, a_domain(vcpus=4, current=2), load=a_window()).not_checked[0].reason


def test_a_guest_with_more_vcpus_plugged_in_than_its_most_is_silent() -> None:
    guest = a_domain(vcpus=4, current=2)
    assert guest.live is not None
    odd = replace(guest, live=replace(guest.live, vcpus=1))
    assert silent(RULE, HOST, odd, load=a_window(a_guest_load([(0.95, 0.0), (0.95, 0.0)])))


@pytest.mark.parametrize(("waits", "fires"), [(0.049, True), (0.05, False), (0.051, False)])
def test_a_host_on_which_vcpus_wait_has_no_time_left(waits: float, fires: bool) -> None:
    guest, load = a_domain(vcpus=4, current=2), a_window(a_guest_load([(0.92, waits), (0.92, waits)]))
    assert silent(RULE, HOST, guest, load=load) is not fires


@pytest.mark.parametrize(("most", "more"), [(3, 3), (4, 4), (8, 4)])
def test_twice_the_vcpus_are_advised_as_far_as_there_are(most: int, more: int) -> None:
    guest, load = a_domain(vcpus=most, current=2), a_window(a_guest_load([(0.95, 0.0), (0.95, 0.01)]))
    finding = found(RULE, HOST, guest, load=load)
    assert finding.by_hand == (f"virsh setvcpus guest {more} --live --config  # its system brings them up",)
    assert finding.saw.startswith("each of its 2 vCPUs runs more than 90 % of the time")
    assert finding.saw.endswith(f"(/proc, schedstat; the least 95%), they wait 0.5%, and it may have {most}")


@pytest.mark.parametrize(("seconds", "short"), [(299.0, True), (300.0, False)])
def test_a_window_below_five_minutes_may_show_a_burst(seconds: float, short: bool) -> None:
    load = replace(a_window(a_guest_load([(0.95, 0.0), (0.95, 0.0)])), seconds=seconds)
    assert (found(RULE, HOST, a_domain(vcpus=4, current=2), load=load).note is not None) is short
