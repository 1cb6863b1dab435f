"""mem.overcommit: more memory is promised to running guests than the host has."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.core.units import GIB
from kvmnb.facts.gap import changed
from tests.advise.mem.builders import HUGEPAGES, a_memory_guest, a_memory_host
from tests.builders import found, silent

RULE = "mem.overcommit"


@pytest.mark.parametrize("goal", ["balanced", "density", "latency"])
def test_a_promise_beyond_memory_is_told(goal: str) -> None:
    finding = found(RULE, a_memory_host(memory_gib=16), a_memory_guest(memory_gib=14).domain, goal=goal)
    assert (finding.severity, finding.safety) == (Severity.INFO, Safety.MANUAL)
    assert "promised 14 GiB" in finding.saw
    assert any("'guest': 14 GiB" in line for line in finding.by_hand)


# Of 8 or 16 GiB the host keeps 2 + 1, of 100 GiB 5 + 1; QEMU gets 256 MiB, or 3 per cent of large guests.
@pytest.mark.parametrize(
    ("memory", "guest", "speaks"),
    [(8, 4.75, False), (8, 4.76, True), (16, 12.62, False), (16, 12.63, True), (100, 91.26, False), (100, 91.27, True)],
)
def test_the_sum_is_compared_with_what_is_left(memory: float, guest: float, speaks: bool) -> None:
    host = a_memory_host(memory_gib=memory)
    assert silent(RULE, host, a_memory_guest(memory_gib=guest).domain) is not speaks


def test_each_node_keeps_a_part_for_the_host() -> None:
    guest = a_memory_guest(memory_gib=12.5).domain
    assert silent(RULE, a_memory_host(memory_gib=16), guest)
    assert not silent(RULE, a_memory_host(memory_gib=16, nodes=2), guest)


def test_the_promises_of_all_running_guests_are_summed() -> None:
    host = a_memory_host(memory_gib=16)
    one, two = (a_memory_guest(name, memory_gib=7).domain for name in ("one", "two"))
    assert not silent(RULE, host, one, two)
    assert silent(RULE, host, one, a_memory_guest("two", memory_gib=7, running=False).domain)


def test_pools_and_guests_in_them_are_left_out() -> None:
    guest, pooled = a_memory_guest(memory_gib=8).domain, a_memory_guest("in", memory_gib=8, backing=HUGEPAGES).domain
    assert silent(RULE, a_memory_host(memory_gib=16), guest, pooled)
    assert not silent(RULE, a_memory_host(memory_gib=16, pools={0: (4096, 0)}), guest, pooled)
    assert silent(RULE, a_memory_host(memory_gib=8), pooled)


def test_throughput_hears_nothing() -> None:
    assert silent(RULE, a_memory_host(memory_gib=8), a_memory_guest(memory_gib=14).domain, goal="throughput")


@pytest.mark.parametrize(
    ("words", "grave"),
    [
        ({"available_gib": 1.9}, True),
        ({"available_gib": 2}, False),
        ({"waiting": 5.1}, True),
        ({"waiting": 5}, False),
    ],
)
def test_it_is_grave_where_memory_is_short_now(words: dict[str, Any], grave: bool) -> None:
    finding = found(RULE, a_memory_host(memory_gib=20, **words), a_memory_guest(memory_gib=20).domain)
    assert (finding.severity is Severity.HIGH) is grave
    assert (finding.note is None) is grave


def test_a_kernel_that_does_not_tell_what_is_available_is_judged_by_pressure() -> None:
    host = a_memory_host(memory_gib=16, waiting=6)
    host = changed(host, kernel=changed(host.kernel, available_bytes=None))
    assert found(RULE, host, a_memory_guest(memory_gib=16).domain).severity is Severity.HIGH


def test_short_memory_alone_is_no_broken_promise() -> None:
    assert silent(RULE, a_memory_host(memory_gib=64, available_gib=1), a_memory_guest().domain)
    assert a_memory_host(memory_gib=64).kernel.memory_bytes == 64 * GIB


def test_the_three_largest_guests_are_told_largest_first() -> None:
    guests = [a_memory_guest(f"guest{gib}", memory_gib=gib).domain for gib in (3, 6, 4, 5)]
    finding = found(RULE, a_memory_host(memory_gib=16), *guests)
    assert finding.by_hand[1:] == ("'guest6': 6 GiB", "'guest5': 5 GiB", "'guest4': 4 GiB")
    assert finding.saw.startswith(
        "4 running guests are promised 18 GiB, QEMU may need 1 GiB and the host 3 GiB; it has "
    )


def test_pressure_of_another_kind_says_nothing_of_memory() -> None:
    quiet = found(RULE, a_memory_host(memory_gib=20, waiting=4.9), a_memory_guest(memory_gib=20).domain)
    assert (quiet.severity, "tasks waited" in quiet.saw) == (Severity.INFO, False)
