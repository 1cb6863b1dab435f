"""mem.hugepages.1g: pages of 1 GiB that the host cannot be sure to have, or that do not fit the guest."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from tests.advise.mem.builders import HUGEPAGES, a_memory_guest, a_memory_host
from tests.builders import cells, found, silent

RULE = "mem.hugepages.1g"
HUGE = "<hugepages><page size='1' unit='GiB'/></hugepages>"
RESERVED = "quiet hugepagesz=1G hugepages=8"


def guest(backing: str = HUGE, **words: Any) -> Domain:
    return a_memory_guest(backing=backing, **words).domain


@pytest.mark.parametrize(
    ("line", "speaks"),
    [
        ("quiet", True),
        ("hugepagesz=2M hugepages=8", True),
        ("hugepagesz=1G hugepages=0", True),
        ("hugepagesz=1G hugepages=0:0,1:0", True),
        ("hugepagesz=odd hugepages=8", True),
        (RESERVED, False),
        ("hugepagesz=1G hugepages=0:4,1:4", False),
        ("default_hugepagesz=1G hugepages=8", False),
    ],
)
def test_pages_have_to_be_reserved_at_boot(line: str, speaks: bool) -> None:
    host = a_memory_host(command_line=line)
    assert silent(RULE, host, guest(), goal="latency") is not speaks
    if speaks:
        finding = found(RULE, host, guest(), goal="throughput")
        assert (finding.subject, finding.severity) == ("host/hugepages/1GiB/boot", Severity.LOW)
        assert finding.safety is Safety.MANUAL
        assert any("hugepagesz=1G hugepages=4" in line for line in finding.by_hand)


def test_guests_that_ask_for_other_pages_do_not_count() -> None:
    for backing in ("", HUGEPAGES, "<hugepages><page size='2048' unit='KiB'/></hugepages>"):
        assert silent(RULE, a_memory_host(), guest(backing, memory_gib=4.5), goal="latency")


def test_the_default_size_may_be_a_gib() -> None:
    host = a_memory_host(command_line="default_hugepagesz=1G")
    assert found(RULE, host, guest(HUGEPAGES), goal="latency").subject == "host/hugepages/1GiB/boot"


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, a_memory_host(), guest(), goal=goal)


@pytest.mark.parametrize(
    ("words", "speaks"),
    [
        ({"memory_gib": 4}, False),
        ({"memory_gib": 4.5}, True),
        ({"cpu": cells(("0", 2), ("1", 2))}, False),
        ({"cpu": cells(("0", 2.5), ("1", 1.5))}, True),
    ],
)
def test_memory_has_to_be_a_multiple(words: dict[str, Any], speaks: bool) -> None:
    host = a_memory_host(command_line=RESERVED)
    assert silent(RULE, host, guest(**words), goal="latency") is not speaks
    if speaks:
        finding = found(RULE, host, guest(**words), goal="latency")
        assert (finding.subject, finding.safety) == ("host/hugepages/1GiB/sizes", Safety.MANUAL)


def test_only_cells_on_such_pages_count() -> None:
    mixed = "<hugepages><page size='1' unit='GiB' nodeset='0'/><page size='2048' unit='KiB' nodeset='1'/></hugepages>"
    host = a_memory_host(command_line=RESERVED)
    assert silent(RULE, host, guest(mixed, cpu=cells(("0", 2), ("1", 1.5))), goal="latency")
    assert not silent(RULE, host, guest(mixed, cpu=cells(("0", 1.5), ("1", 2))), goal="latency")


def test_a_cpu_without_such_pages_is_told_instead() -> None:
    host = a_memory_host(cpu_flags="sse")
    finding = found(RULE, host, guest(), goal="latency")
    assert finding.subject == "host/hugepages/1GiB/cpu"
    # Other architectures name no such flag.
    assert found(RULE, changed(host, arch="aarch64"), guest(), goal="latency").subject == "host/hugepages/1GiB/boot"
