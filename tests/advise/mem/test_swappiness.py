"""mem.swappiness: the host prefers swapping guests to dropping page cache."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Swap
from tests.advise.mem.builders import a_memory_host, tuned
from tests.builders import a_fact, found, silent

RULE = "mem.swappiness"
DISK = a_fact(Swap, device="/dev/sda2", zram=False)
ZRAM = a_fact(Swap, device="/dev/zram0", zram=True)


def host(value: str | None = "60", **words: Any) -> Host:
    return a_memory_host(sysctls={} if value is None else {"vm.swappiness": value}, **{"swaps": [DISK], **words})


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_the_kernels_default_is_lowered(goal: str) -> None:
    finding = found(RULE, host(), goal=goal)
    assert [(str(want.tunable), want.value) for want in finding.wants] == [("sysctl:host:vm.swappiness", "10")]
    assert (finding.severity, finding.safety) == (Severity.LOW, Safety.SAFE)
    assert "/dev/sda2" in finding.saw


@pytest.mark.parametrize("value", ["59", "10", "0", None])
def test_lower_values_are_left_alone(value: str | None) -> None:
    assert silent(RULE, host(value), goal="latency")


@pytest.mark.parametrize("words", [{"swaps": []}, {"swaps": [ZRAM]}, {"swaps": [DISK, ZRAM]}, {"zswap": True}])
def test_without_swap_on_a_disk_alone_a_high_value_may_be_right(words: dict[str, Any]) -> None:
    assert silent(RULE, host("180", **words), goal="latency")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host(), goal=goal)


def test_tuned_is_named_where_it_is_in_charge() -> None:
    assert "tuned" in (found(RULE, host(owners=[tuned()]), goal="latency").note or "")
