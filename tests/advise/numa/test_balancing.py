"""numa.balancing: automatic NUMA balancing does not fit how the guests are placed."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Finding, Safety, Severity
from kvmnb.facts.host import Host
from tests.advise.mem.builders import a_memory_guest, a_memory_host
from tests.builders import bound_to, cells, found, silent

RULE = "numa.balancing"
# CPUs 0-3 are node 0, 4-7 node 1.
PINS = {0: "0", 1: "1"}
BOUND: dict[str, Any] = {"pins": PINS, "numatune": bound_to("0")}


def host(value: str | None, nodes: int = 2) -> Host:
    return a_memory_host(nodes=nodes, sysctls={} if value is None else {"kernel.numa_balancing": value})


def wants(finding: Finding) -> list[tuple[str, str | None]]:
    return [(str(want.tunable), want.value) for want in finding.wants]


@pytest.mark.parametrize("value", ["1", "2"])
@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_it_is_switched_off_where_all_are_bound(goal: str, value: str) -> None:
    finding = found(RULE, host(value), a_memory_guest(**BOUND).domain, goal=goal)
    assert wants(finding) == [("sysctl:host:kernel.numa_balancing", "0")]
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.SAFE)


@pytest.mark.parametrize(
    "words",
    [
        {"pins": PINS, "numatune": bound_to("0", "restrictive")},
        {"vcpu_cpuset": "0-3", "numatune": bound_to("0")},
        {
            "pins": {0: "0", 1: "4"},
            "cpu": cells(("0", 2), ("1", 2)),
            "numatune": "<numatune><memnode cellid='0' mode='strict' nodeset='0'/>"
            "<memnode cellid='1' mode='strict' nodeset='1'/></numatune>",
        },
    ],
)
def test_ways_to_be_bound(words: dict[str, Any]) -> None:
    assert wants(found(RULE, host("1"), a_memory_guest(**words).domain))[0][1] == "0"


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"pins": PINS},
        {"numatune": bound_to("0")},
        {"pins": PINS, "numatune": bound_to("1")},
        {"pins": PINS, "numatune": bound_to("0", "preferred")},
        {"pins": PINS, "numatune": "<numatune><memory mode='strict' placement='auto'/></numatune>"},
        {
            "pins": PINS,
            "cpu": cells(("0", 2), ("1", 2)),
            "numatune": "<numatune><memnode cellid='0' mode='strict' nodeset='0'/></numatune>",
        },
        {
            "pins": PINS,
            "cpu": cells(("0-1", 4)),
            "numatune": "<numatune><memnode cellid='0' mode='preferred' nodeset='0'/></numatune>",
        },
    ],
)
def test_a_guest_that_is_not_bound_keeps_it_on(words: dict[str, Any]) -> None:
    bound = a_memory_guest("bound", **BOUND).domain
    assert silent(RULE, host("1"), a_memory_guest(**words).domain, bound)


@pytest.mark.parametrize(
    ("words", "speaks"),
    [
        ({"vcpus": 5}, True),
        ({"vcpus": 5, "numatune": bound_to("0", "preferred")}, True),
        ({"vcpus": 5, "vcpu_cpuset": "0-4"}, True),
        ({"vcpus": 5, "vcpu_cpuset": "0-3"}, False),
        ({"vcpus": 5, "vcpu_placement": "auto"}, False),
        # This one fits one node, so numa.fit wants it there.
        ({"vcpus": 4}, False),
        ({"pins": PINS}, False),
        ({"numatune": bound_to("0")}, False),
        ({"vcpu_placement": "auto"}, False),
        (BOUND, False),
    ],
)
def test_it_is_switched_on_where_a_guest_roams(words: dict[str, Any], speaks: bool) -> None:
    bound = a_memory_guest("bound", **BOUND).domain
    assert silent(RULE, host("0"), a_memory_guest(**words).domain, bound) is not speaks
    if speaks:
        finding = found(RULE, host("0"), a_memory_guest(**words).domain, bound)
        assert wants(finding) == [("sysctl:host:kernel.numa_balancing", "1")]
        assert "'guest' (" in finding.saw


def test_hosts_with_one_node_or_without_the_setting_are_not_judged() -> None:
    assert silent(RULE, host("0", nodes=1), a_memory_guest().domain)
    assert silent(RULE, host(None), a_memory_guest().domain)
    assert silent(RULE, host("0"), a_memory_guest().domain, goal="density")


def test_without_running_guests_there_is_nothing_to_judge() -> None:
    assert silent(RULE, host("1"))
    assert silent(RULE, host("0"), a_memory_guest(running=False).domain)
