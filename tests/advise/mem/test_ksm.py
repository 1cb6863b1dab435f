"""mem.ksm: the merging of equal pages does not suit the guests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.aim import Overlay
from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.advise.intent import Intent
from kvmnb.facts.host import Host
from tests.advise.mem.builders import HUGEPAGES, a_memory_guest, a_memory_host
from tests.builders import bound_to, found, judged, silent, values

RULE = "mem.ksm"
PINS = {0: "0", 1: "1"}


def merging(**words: Any) -> Host:
    """A host on which KSM merges and earns something."""
    host_words = {name: words.pop(name) for name in ("nodes", "memory_gib", "available_gib") if name in words}
    ksm = {"run": 1, "merge_across_nodes": 0, "pages_shared": 10, "pages_sharing": 100, "general_profit": 5, **words}
    return a_memory_host(ksm=ksm, **host_words)


def test_a_latency_guest_is_kept_out_of_merging() -> None:
    finding = found(RULE, merging(), a_memory_guest().domain, goal="latency")
    assert values(finding) == {"domain_xml:memoryBacking/nosharepages": "<nosharepages/>"}
    assert (finding.subject, finding.severity) == ("host/ksm/guests", Severity.MEDIUM)
    assert finding.safety is Safety.DISRUPTIVE
    assert "'guest'" in finding.saw


def test_a_pinned_guest_is_kept_out_of_merging() -> None:
    assert found(RULE, merging(), a_memory_guest(pins=PINS).domain, goal="density").subject == "host/ksm/guests"
    assert silent(RULE, merging(), a_memory_guest(pins={0: "0"}).domain, goal="density")


@pytest.mark.parametrize("backing", ["<nosharepages/>", HUGEPAGES, "<source type='memfd'/>"])
def test_memory_that_is_never_merged_is_left_alone(backing: str) -> None:
    assert silent(RULE, merging(), a_memory_guest(backing=backing).domain, goal="latency")


@pytest.mark.parametrize("run", [0, 2])
def test_where_nothing_is_merged_nothing_is_said(run: int) -> None:
    host = merging(run=run, general_profit=-1, merge_across_nodes=1, nodes=2)
    assert silent(RULE, host, a_memory_guest(pins=PINS, numatune=bound_to("0")).domain, goal="latency")


def test_a_kernel_without_merging_is_not_judged() -> None:
    assert silent(RULE, a_memory_host(), a_memory_guest().domain, goal="latency")


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    transient = replace(a_memory_guest().domain, persistent=False, inactive=None)
    finding = found(RULE, merging(), transient, goal="latency")
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())


def test_nodes_are_kept_apart_while_nothing_is_merged() -> None:
    host = merging(merge_across_nodes=1, pages_shared=0, nodes=2)
    finding = found(RULE, host, a_memory_guest(numatune=bound_to("0")).domain, goal="density")
    assert values(finding) == {"sysfs:kernel/mm/ksm/merge_across_nodes": "0"}
    assert (finding.subject, finding.safety) == ("host/ksm/nodes", Safety.SAFE)


def test_merged_pages_have_to_be_undone_first() -> None:
    host = merging(merge_across_nodes=1, pages_shared=1, nodes=2)
    finding = found(RULE, host, a_memory_guest(numatune=bound_to("0")).domain, goal="density")
    assert finding.safety is Safety.MANUAL
    assert "echo 2 | sudo tee /sys/kernel/mm/ksm/run" in finding.by_hand


@pytest.mark.parametrize(
    ("words", "numatune"),
    [
        ({"nodes": 1, "merge_across_nodes": 1}, bound_to("0")),
        ({"nodes": 2, "merge_across_nodes": 0}, bound_to("0")),
        ({"nodes": 2, "merge_across_nodes": None}, bound_to("0")),
        ({"nodes": 2, "merge_across_nodes": 1}, ""),
        ({"nodes": 2, "merge_across_nodes": 1}, bound_to("0-1")),
        ({"nodes": 2, "merge_across_nodes": 1}, bound_to("0", "preferred")),
    ],
)
def test_nodes_matter_where_a_guest_is_bound_to_some(words: dict[str, Any], numatune: str) -> None:
    assert silent(RULE, merging(**words), a_memory_guest(numatune=numatune).domain, goal="density")


@pytest.mark.parametrize(
    ("words", "speaks"),
    [
        ({"general_profit": 0}, True),
        ({"general_profit": 1}, False),
        ({"general_profit": None, "pages_unshared": 1001}, True),
        ({"general_profit": None, "pages_unshared": 1000}, False),
        ({"general_profit": 1, "pages_unshared": 1001}, True),
    ],
)
def test_merging_that_earns_nothing_is_stopped(words: dict[str, Any], speaks: bool) -> None:
    guest = a_memory_guest().domain
    assert silent(RULE, merging(**words), guest, goal="density") is not speaks
    if speaks:
        finding = found(RULE, merging(**words), guest, goal="density")
        assert values(finding) == {"sysfs:kernel/mm/ksm/run": "0"}
        assert (finding.subject, finding.sure) == ("host/ksm/run", Sure.LIKELY)


def dense(available_gib: float = 12, **words: Any) -> Host:
    return a_memory_host(
        memory_gib=80,
        available_gib=available_gib,
        ksm={"run": 0, "merge_across_nodes": 1, "advisor_mode": "none", **words},
    )


def three(**words: Any) -> list[Any]:
    return [a_memory_guest(name, **words).domain for name in ("one", "two", "three")]


def test_a_dense_host_that_is_short_gets_merging() -> None:
    finding = found(RULE, dense(), *three(), goal="density")
    assert values(finding) == {
        "sysfs:kernel/mm/ksm/merge_across_nodes": "0",
        "sysfs:kernel/mm/ksm/advisor_mode": "scan-time",
        "sysfs:kernel/mm/ksm/run": "1",
    }
    assert finding.safety is Safety.DISRUPTIVE
    assert any("security" in cost for cost in finding.costs)


def test_an_older_kernel_gets_what_it_has() -> None:
    host = dense(advisor_mode=None, merge_across_nodes=None)
    assert values(found(RULE, host, *three(), goal="density")) == {"sysfs:kernel/mm/ksm/run": "1"}


def test_each_part_of_the_need_for_merging_counts() -> None:
    assert silent(RULE, dense(available_gib=16), *three(), goal="density")
    assert not silent(RULE, dense(available_gib=15.99), *three(), goal="density")
    assert silent(RULE, dense(), *three(), goal="latency")
    assert silent(RULE, dense(), *three()[:2], goal="density")
    assert silent(RULE, dense(), *three(backing=HUGEPAGES), goal="density")
    assert silent(RULE, dense(run=2), *three(), goal="density")
    unlike = [a_memory_guest(name, machine=f"pc-q35-{name}").domain for name in ("5.2", "6.2", "7.2")]
    assert silent(RULE, dense(), *unlike, goal="density")


def test_pinned_guests_are_kept_out_before_merging_starts() -> None:
    finding = found(RULE, dense(), *three(), a_memory_guest("last", pins=PINS).domain, goal="density")
    assert finding.safety is Safety.MANUAL
    assert any("virsh edit last" in line for line in finding.by_hand)


def test_merging_that_is_needed_goes_on_though_it_earns_nothing_yet() -> None:
    host = merging(general_profit=0, memory_gib=64, available_gib=12)
    assert not judged(RULE, host, *three(), goal="density").findings
    assert judged(RULE, host, *three()[:2], goal="density").findings


SECURE = Intent(overlays=frozenset({Overlay.SECURITY}))


def two(**words: Any) -> list[Any]:
    return [a_memory_guest(name, **words).domain for name in ("one", "two")]


def test_guests_that_do_not_trust_each_other_are_not_merged() -> None:
    finding = found(RULE, merging(pages_sharing=512, available_gib=1), *two(), intent=SECURE)
    assert values(finding) == {"sysfs:kernel/mm/ksm/run": "2"}
    assert (finding.subject, finding.severity, finding.safety) == ("host/ksm/tenants", Severity.HIGH, Safety.DISRUPTIVE)
    assert finding.saw == (
        "KSM merges (/sys/kernel/mm/ksm/run is 1) pages of these running guests: 'one', 'two'; 512 pages are saved now"
    )
    assert finding.costs == ("undoing the merges takes 2 MiB of memory, and CPU time while it lasts",)
    assert finding.by_hand == ()


@pytest.mark.parametrize(("pages", "safety"), [(262_143, Safety.DISRUPTIVE), (262_144, Safety.MANUAL)])
def test_merges_are_undone_where_there_is_memory_for_it(pages: int, safety: Safety) -> None:
    finding = found(RULE, merging(pages_sharing=pages, available_gib=1), *two(), intent=SECURE)
    assert finding.safety is safety
    assert bool(finding.wants) is not bool(finding.by_hand)
    assert finding.by_hand[1:] == (("echo 2 | sudo tee /sys/kernel/mm/ksm/run",) if finding.by_hand else ())


@pytest.mark.parametrize("run", [0, 2])
def test_where_nothing_is_merged_strangers_are_apart(run: int) -> None:
    assert silent(RULE, merging(run=run), *two(), intent=SECURE)


@pytest.mark.parametrize("backing", ["<nosharepages/>", HUGEPAGES])
def test_a_guest_beside_those_that_are_not_merged_shares_with_nobody(backing: str) -> None:
    assert silent(RULE, merging(), a_memory_guest("one").domain, intent=SECURE)
    assert silent(RULE, merging(), a_memory_guest("one").domain, *two(backing=backing)[1:], intent=SECURE)
    assert not silent(RULE, merging(), *three(), intent=SECURE)


def test_what_merging_cost_and_gained_is_told() -> None:
    host = merging(general_profit=-4096, pages_unshared=7)
    finding = found(RULE, host, a_memory_guest().domain, goal="density")
    assert finding.saw == (
        "KSM merges and earns nothing: 7 pages are looked at in vain and 100 are saved, the profit is -4096 bytes "
        "(/sys/kernel/mm/ksm)"
    )
    unknown = found(RULE, merging(general_profit=None, pages_unshared=2000), a_memory_guest().domain, goal="density")
    assert "profit" not in unknown.saw


def test_what_undoing_takes_is_told_where_nodes_are_to_be_kept_apart() -> None:
    bound = a_memory_guest(numatune=bound_to("0")).domain
    host = merging(merge_across_nodes=1, pages_shared=1, pages_sharing=512, nodes=3)
    finding = found(RULE, host, bound, goal="density")
    assert finding.by_hand[0] == "Make sure that the host has 2 MiB to spare, to undo the merges. Then:"
    assert finding.saw.startswith("pages of all 3 nodes may become one")
    assert finding.note == "the kernel changes it only while nothing is merged"
    free = found(RULE, merging(merge_across_nodes=1, pages_shared=0, nodes=2), bound, goal="density")
    assert (free.by_hand, free.note) == ((), None)


def test_a_guest_that_exists_only_while_it_runs_is_named_with_what_to_do() -> None:
    stays = a_memory_guest("stays").domain
    transient = replace(a_memory_guest("leaves").domain, persistent=False, inactive=None)
    finding = found(RULE, merging(), stays, transient, goal="latency")
    assert finding.by_hand == tuple(
        f"virsh edit {name}  # <nosharepages/> in memoryBacking" for name in ("stays", "leaves")
    )
    assert finding.note == "a guest that exists only while it runs is among them"
    both = found(RULE, merging(), stays, goal="latency")
    assert (both.by_hand, both.note) == ((), None)


def test_what_is_merged_already_keeps_its_nodes() -> None:
    assert values(found(RULE, dense(pages_shared=1), *three(), goal="density")) == {
        "sysfs:kernel/mm/ksm/advisor_mode": "scan-time",
        "sysfs:kernel/mm/ksm/run": "1",
    }


def test_the_kind_that_is_most_frequent_is_named() -> None:
    other = a_memory_guest("a-kind-of-its-own", machine="pc-q35-5.2").domain
    saw = found(RULE, dense(), other, *three(), goal="density").saw
    assert saw == (
        "12 GiB of 80 GiB are available, KSM is off (/sys/kernel/mm/ksm/run is 0), "
        "and these running guests are alike: 'one', 'three', 'two'"
    )
