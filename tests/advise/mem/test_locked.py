"""mem.locked: memory is locked without a limit or without need, or is not locked where it must be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.mem.builders import HUGEPAGES, PCI, REAL_TIME, a_memory_guest, a_memory_host
from tests.builders import found, silent, values

RULE = "mem.locked"
HOST = a_memory_host()
LIMIT = "<hard_limit unit='GiB'>10</hard_limit>"


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_locked_memory_gets_a_limit_under_every_goal(goal: str) -> None:
    finding = found(RULE, HOST, a_memory_guest(backing="<locked/>").domain, goal=goal)
    # 4 GiB, 1 GiB on top, 256 MiB for video, rounded up.
    assert values(finding) == {"domain_xml:memtune/hard_limit": "<hard_limit unit='KiB'>5506048</hard_limit>"}
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    assert any("kills" in cost for cost in finding.costs)


def test_the_room_of_a_large_guest_is_a_tenth() -> None:
    finding = found(RULE, HOST, a_memory_guest(backing="<locked/>", memory_gib=20).domain)
    assert "<hard_limit unit='KiB'>23331840</hard_limit>" in str(values(finding))


def test_memory_that_may_be_plugged_in_counts() -> None:
    guest = a_memory_guest(backing="<locked/>", extra="<maxMemory slots='2' unit='GiB'>20</maxMemory>").domain
    assert "23331840" in str(values(found(RULE, HOST, guest)))


def test_with_a_limit_all_is_right() -> None:
    assert silent(RULE, HOST, a_memory_guest(backing="<locked/>", tune=LIMIT).domain)
    assert silent(RULE, HOST, a_memory_guest().domain)
    assert silent(RULE, HOST, a_memory_guest(backing="<locked/>", virt_type="xen").domain)


def test_a_limit_that_is_none_does_not_count() -> None:
    unlimited = "<hard_limit unit='KiB'>9007199254740991</hard_limit>"
    assert not silent(RULE, HOST, a_memory_guest(backing="<locked/>", tune=unlimited).domain)


def test_real_time_needs_locked_memory_and_a_limit() -> None:
    finding = found(RULE, HOST, a_memory_guest(extra=REAL_TIME).domain, goal="latency")
    assert set(values(finding)) == {"domain_xml:memoryBacking/locked", "domain_xml:memtune/hard_limit"}
    assert finding.severity is Severity.HIGH
    limited = found(RULE, HOST, a_memory_guest(extra=REAL_TIME, tune=LIMIT).domain)
    assert values(limited) == {"domain_xml:memoryBacking/locked": "<locked/>"}
    assert silent(RULE, HOST, a_memory_guest(extra=REAL_TIME, backing="<locked/>", tune=LIMIT).domain)


@pytest.mark.parametrize(("scheduler", "speaks"), [("fifo", True), ("rr", True), ("batch", False), ("idle", False)])
def test_only_two_schedulers_are_real_time(scheduler: str, speaks: bool) -> None:
    extra = f"<cputune><vcpusched vcpus='0' scheduler='{scheduler}'/></cputune>"
    assert silent(RULE, HOST, a_memory_guest(extra=extra).domain) is not speaks


def test_locking_a_pool_of_hugepages_is_needless() -> None:
    finding = found(RULE, HOST, a_memory_guest(backing=f"{HUGEPAGES}<locked/>").domain)
    assert values(finding) == {"domain_xml:memoryBacking/locked": None}
    assert finding.severity is Severity.HIGH
    limited = found(RULE, HOST, a_memory_guest(backing=f"{HUGEPAGES}<locked/>", tune=LIMIT).domain)
    assert limited.severity is Severity.INFO
    assert silent(RULE, HOST, a_memory_guest(backing=f"{HUGEPAGES}<locked/>", tune=LIMIT, extra=REAL_TIME).domain)


def test_a_guest_that_is_off_needs_no_restart_and_has_a_cost_all_the_same() -> None:
    assert found(RULE, HOST, a_memory_guest(backing=f"{HUGEPAGES}<locked/>", running=False).domain).costs


@pytest.mark.parametrize("device", [PCI, "<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>"])
def test_with_devices_of_the_host_a_person_works_out_the_limit(device: str) -> None:
    finding = found(RULE, HOST, a_memory_guest(backing="<locked/>", devices=device).domain)
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())


@pytest.mark.parametrize("backing", ["<locked/>", f"{HUGEPAGES}<locked/>"])
def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person(backing: str) -> None:
    transient = replace(a_memory_guest(backing=backing).domain, persistent=False, inactive=None)
    assert found(RULE, HOST, transient).safety is Safety.MANUAL
    urgent = replace(a_memory_guest(extra=REAL_TIME, tune=LIMIT).domain, persistent=False, inactive=None)
    assert found(RULE, HOST, urgent).safety is Safety.MANUAL
