"""mem.swap: part of a guest's memory lies in the host's swap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.core.units import GIB, MIB
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.kernel import Swap
from tests.advise.mem.builders import a_memory_guest, a_memory_host, a_process
from tests.advise.windows import a_window
from tests.builders import a_fact, found, judged, silent

RULE = "mem.swap"
HOST = a_memory_host(swaps=[a_fact(Swap, device="/dev/zram0", zram=True), a_fact(Swap, device="/dev/sda2")])


def swapped(size: int, memory_gib: float = 32, name: str = "guest") -> Domain:
    return replace(a_memory_guest(name, memory_gib=memory_gib).domain, running_state=a_process(size))


@pytest.mark.parametrize(
    ("size", "memory", "speaks"),
    [
        (64 * MIB + 1, 32, True),
        (64 * MIB, 32, False),
        (GIB // 100 + 1, 1, True),
        (GIB // 100, 1, False),
        (0, 1, False),
    ],
)
def test_more_than_64_mib_or_one_per_cent_is_told(size: int, memory: float, speaks: bool) -> None:
    assert silent(RULE, HOST, swapped(size, memory)) is not speaks
    if speaks:
        finding = found(RULE, HOST, swapped(size, memory))
        assert (finding.severity, finding.safety, finding.sure) == (Severity.HIGH, Safety.MANUAL, Sure.LIKELY)
        assert "load not measured" in (finding.note or "")
        assert "/dev/zram0 (zram), /dev/sda2" in finding.saw


def test_all_swapped_guests_are_one_finding_the_worst_first() -> None:
    finding = found(RULE, HOST, swapped(GIB, name="one"), swapped(2 * GIB, name="two"))
    assert finding.saw.index("'two' 2 GiB") < finding.saw.index("'one' 1 GiB")
    assert "at least 3 GiB" in finding.by_hand[0]


def test_a_guest_that_is_off_is_not_judged() -> None:
    assert silent(RULE, HOST, a_memory_guest(running=False).domain)


def test_density_hears_nothing() -> None:
    assert silent(RULE, HOST, swapped(GIB), goal="density")


def test_a_process_that_cannot_be_seen_is_not_checked() -> None:
    unseen = changed(swapped(GIB), running_state=Gap("running_state", "needs root"))
    (reason,) = judged(RULE, HOST, unseen).not_checked
    assert "needs root" in reason.reason


def test_swap_that_was_switched_off_since_is_told() -> None:
    assert "no area in use now" in found(RULE, a_memory_host(), swapped(GIB)).saw


@pytest.mark.parametrize(
    ("pages", "severity", "sure"), [(0.1, Severity.HIGH, Sure.CERTAIN), (0.0, Severity.MEDIUM, Sure.LIKELY)]
)
def test_what_is_read_back_now_makes_it_certain(pages: float, severity: Severity, sure: Sure) -> None:
    finding = found(RULE, HOST, swapped(GIB), load=a_window(swapped_in_pages_per_second=pages))
    assert (finding.severity, finding.sure) == (severity, sure)
    assert "pages/s over 10 s" in (finding.note or "")
