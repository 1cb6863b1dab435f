"""net.sysctl.backlog: a CPU's queue of received packets overflows."""

from __future__ import annotations

import pytest

from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Sysctl
from kvmnb.facts.network import SoftnetCpu
from tests.advise.windows import a_window
from tests.builders import a_fact, a_host, found, judged, silent

RULE = "net.sysctl.backlog"


def host(dropped: int = 0, squeezed: int = 0) -> Host:
    calm = a_fact(SoftnetCpu, cpu=0, dropped=0, time_squeeze=0)
    return changed(a_host(), softnet=(calm, changed(calm, cpu=1, dropped=dropped, time_squeeze=squeezed)))


def test_counters_at_zero_are_right() -> None:
    assert silent(RULE, host(), goal="throughput")


@pytest.mark.parametrize(("dropped", "squeezed", "word"), [(1, 0, "dropped"), (0, 1, "time_squeeze")])
def test_other_counters_need_a_window(dropped: int, squeezed: int, word: str) -> None:
    result = judged(RULE, host(dropped, squeezed), goal="throughput")
    assert word in result.not_checked[0].reason
    assert "no window" in result.not_checked[0].reason


@pytest.mark.parametrize("goal", ["balanced", "latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert not judged(RULE, host(1, 1), goal=goal).not_checked


@pytest.mark.parametrize(
    ("rates", "key"),
    [
        ({"softnet_dropped_per_second": 0.1}, "net.core.netdev_max_backlog"),
        ({"softnet_most_squeezed_per_second": 101.0, "softnet_squeezed_per_second": 150.0}, "net.core.netdev_budget"),
        ({"softnet_most_squeezed_per_second": 100.0, "softnet_squeezed_per_second": 400.0}, None),
        ({}, None),
    ],
)
def test_counters_that_grow_are_told(rates: dict[str, float], key: str | None) -> None:
    one = host(1, 1)
    one = changed(one, kernel=changed(one.kernel, sysctls=(a_fact(Sysctl, key=key or "", value="1000"),)))
    if key is None:
        assert silent(RULE, one, goal="throughput", load=a_window(**rates))
    else:
        finding = found(RULE, one, goal="throughput", load=a_window(**rates))
        assert finding.by_hand[0].startswith(f"sysctl -w {key}=2000 ")
