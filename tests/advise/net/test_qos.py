"""net.qos: a guest runs into the bandwidth that it is allowed."""

from __future__ import annotations

import pytest

from tests.advise.net.builders import interface
from tests.advise.windows import a_nic_load, a_window
from tests.builders import a_domain, a_host, found, judged, silent

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


@pytest.mark.parametrize(("side", "rate"), [("inbound", "tx"), ("outbound", "rx")])
@pytest.mark.parametrize(("share", "fires"), [(0.9, True), (0.89, False)])
def test_traffic_at_nine_tenths_of_a_limit_is_told(side: str, rate: str, share: float, fires: bool) -> None:
    inside = f"<bandwidth><{side} average='1000'/></bandwidth>"
    guest = a_domain(devices=interface(target="vnet0", inside=inside))
    load = a_window(nics=(a_nic_load("vnet0", **{f"{rate}_bytes_per_second": share * 1000 * 1024}),))
    assert silent(RULE, a_host(), guest, load=load) is not fires
    if fires:
        assert f"900 KiB/s {side} over 10 s" in found(RULE, a_host(), guest, load=load).saw
    other = {"inbound": "rx", "outbound": "tx"}[side]
    assert silent(
        RULE, a_host(), guest, load=a_window(nics=(a_nic_load("vnet0", **{f"{other}_bytes_per_second": 1e9}),))
    )


def test_a_tap_that_the_window_does_not_show_is_not_checked() -> None:
    guest = a_domain(devices=interface(target="vnet0", inside="<bandwidth><inbound average='1'/></bandwidth>"))
    assert "does not show" in judged(RULE, a_host(), guest, load=a_window()).not_checked[0].reason
