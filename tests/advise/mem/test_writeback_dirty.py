"""mem.writeback_dirty: the host lets much written data pile up behind guests' disks that use its page cache."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Finding, Safety, Severity, Sure
from kvmnb.facts.host import Host
from tests.advise.mem.builders import a_disk, a_memory_guest, a_memory_host, tuned
from tests.builders import found, silent

RULE = "mem.writeback_dirty"
RATIO = {
    "vm.dirty_bytes": "0",
    "vm.dirty_ratio": "20",
    "vm.dirty_background_bytes": "0",
    "vm.dirty_background_ratio": "10",
}
CACHED = a_memory_guest(devices=a_disk()).domain


def host(memory_gib: float = 64, sysctls: dict[str, str] | None = None, **words: Any) -> Host:
    return a_memory_host(memory_gib=memory_gib, sysctls={**RATIO, **(sysctls or {})}, **words)


def wants(finding: Finding) -> dict[str, str | None]:
    return {str(want.tunable).rpartition(":")[2]: want.value for want in finding.wants}


@pytest.mark.parametrize("goal", ["latency", "balanced"])
def test_a_high_ratio_is_lowered(goal: str) -> None:
    finding = found(RULE, host(), CACHED, goal=goal)
    assert wants(finding) == {"vm.dirty_background_ratio": "5", "vm.dirty_ratio": "10"}
    assert str(finding.wants[0].tunable).endswith("background_ratio")
    assert (finding.severity, finding.safety, finding.sure) == (Severity.MEDIUM, Safety.SAFE, Sure.LIKELY)
    assert "load not measured" in (finding.note or "")
    assert "vm.dirty_bytes=1073741824" in (finding.note or "")
    assert "up to 12.8 GiB of 64 GiB" in finding.saw


@pytest.mark.parametrize(("ratio", "speaks"), [("11", True), ("10", False), ("0", False)])
def test_a_tenth_is_the_limit(ratio: str, speaks: bool) -> None:
    assert silent(RULE, host(sysctls={"vm.dirty_ratio": ratio}), CACHED) is not speaks


@pytest.mark.parametrize(("memory", "speaks"), [(64, True), (63.9, False)])
def test_smaller_hosts_are_not_judged(memory: float, speaks: bool) -> None:
    assert silent(RULE, host(memory), CACHED) is not speaks


def test_a_low_background_is_kept() -> None:
    finding = found(RULE, host(sysctls={"vm.dirty_background_ratio": "5"}), CACHED)
    assert wants(finding) == {"vm.dirty_ratio": "10"}


def test_where_bytes_are_set_bytes_count() -> None:
    many = {"vm.dirty_bytes": "10000000000", "vm.dirty_background_bytes": "5000000000", "vm.dirty_ratio": "0"}
    finding = found(RULE, host(sysctls=many), CACHED)
    assert wants(finding) == {"vm.dirty_background_bytes": "268435456", "vm.dirty_bytes": "1073741824"}
    assert "set the ratios" not in (finding.note or "")
    assert silent(RULE, host(sysctls={"vm.dirty_bytes": "1073741824", "vm.dirty_ratio": "0"}), CACHED)


@pytest.mark.parametrize(
    ("disk", "speaks"),
    [
        (a_disk("cache='writeback'"), True),
        (a_disk("cache='writethrough'"), True),
        (a_disk("cache='unsafe'"), True),
        (a_disk("cache='default'"), True),
        (a_disk(kind="block"), True),
        (a_disk("cache='none'"), False),
        (a_disk("cache='directsync'"), False),
        (a_disk(kind="network"), False),
        (a_disk(device="cdrom"), False),
        ("", False),
    ],
)
def test_disks_in_the_page_cache_count(disk: str, speaks: bool) -> None:
    assert silent(RULE, host(), a_memory_guest(devices=disk).domain) is not speaks


def test_other_hypervisors_and_goals_are_not_judged() -> None:
    assert silent(RULE, host(), a_memory_guest(devices=a_disk(), virt_type="xen").domain)
    for goal in ("throughput", "density"):
        assert silent(RULE, host(), CACHED, goal=goal)


def test_a_kernel_without_these_settings_is_not_judged() -> None:
    assert silent(RULE, a_memory_host(memory_gib=64), CACHED)


def test_tuned_is_named_where_it_is_in_charge() -> None:
    assert "tuned" in (found(RULE, host(owners=[tuned("virtual-host")]), CACHED).note or "")
