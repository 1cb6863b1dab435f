"""mem.thp: transparent huge pages are switched off, or stall the guests that use them."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.intent import Goal, GuestIntent
from tests.advise.mem.builders import HUGEPAGES, a_memory_guest, a_memory_host, tuned
from tests.builders import an_intent, found, silent, values

RULE = "mem.thp"
MEMFD = "<source type='memfd'/><access mode='shared'/>"


@pytest.mark.parametrize("goal", ["balanced", "density", "throughput", "latency"])
def test_never_is_found_where_a_running_guest_has_plain_memory(goal: str) -> None:
    finding = found(RULE, a_memory_host(enabled="never"), a_memory_guest().domain, goal=goal)
    assert values(finding) == {"sysfs:kernel/mm/transparent_hugepage/enabled": "madvise"}
    assert (finding.subject, finding.severity) == ("host/thp/enabled", Severity.HIGH)
    assert finding.safety is Safety.SAFE
    assert "'guest'" in finding.saw
    assert "after a restart" in (finding.note or "")


@pytest.mark.parametrize("enabled", ["always", "madvise", None])
def test_huge_pages_on_request_are_enough(enabled: str | None) -> None:
    assert silent(RULE, a_memory_host(enabled=enabled), a_memory_guest().domain)


@pytest.mark.parametrize("words", [{"backing": HUGEPAGES}, {"running": False}, {"virt_type": "xen"}])
def test_guests_without_need_of_them_do_not_count(words: dict[str, object]) -> None:
    host = a_memory_host(enabled="never", shmem="never", defrag="always")
    assert silent(RULE, host, a_memory_guest(**words).domain, goal="latency")  # type: ignore[arg-type]


def test_a_host_without_guests_is_not_judged() -> None:
    assert silent(RULE, a_memory_host(enabled="never"))


@pytest.mark.parametrize("backing", [MEMFD, "<source type='file'/>", "<access mode='shared'/>"])
def test_shared_memory_follows_its_own_setting(backing: str) -> None:
    guest = a_memory_guest(backing=backing).domain
    finding = found(RULE, a_memory_host(enabled="never", shmem="never"), guest)
    assert values(finding) == {"sysfs:kernel/mm/transparent_hugepage/shmem_enabled": "advise"}
    assert finding.subject == "host/thp/shmem_enabled"
    assert silent(RULE, a_memory_host(enabled="never"), guest)


def test_plain_memory_does_not_need_the_setting_of_shared_memory() -> None:
    for shmem in ("never", None):
        assert silent(RULE, a_memory_host(shmem=shmem), a_memory_guest().domain)


def test_defrag_always_is_found_for_latency_alone() -> None:
    host, guest = a_memory_host(defrag="always"), a_memory_guest().domain
    assert values(found(RULE, host, guest, goal="latency")) == {
        "sysfs:kernel/mm/transparent_hugepage/defrag": "madvise"
    }
    assert silent(RULE, host, guest, goal="throughput")
    assert silent(RULE, a_memory_host(defrag="defer+madvise"), guest, goal="latency")


def test_the_goal_of_one_guest_counts() -> None:
    host, guest = a_memory_host(defrag="always"), a_memory_guest().domain
    assert found(RULE, host, guest, intent=an_intent(guest=GuestIntent(goal=Goal.LATENCY))).subject == "host/thp/defrag"


def test_tuned_is_named_where_it_is_in_charge() -> None:
    host = a_memory_host(enabled="never", owners=[tuned()])
    assert "tuned (profile network-latency) is in charge" in (found(RULE, host, a_memory_guest().domain).note or "")
