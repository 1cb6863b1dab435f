"""mem.balloon.squeezed: a balloon takes memory from the guest that it may be short of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.mem.builders import a_memory_guest, a_memory_host
from tests.builders import Guest, found, guest_xml, silent

RULE = "mem.balloon.squeezed"
HOST = a_memory_host()
LESS = "<currentMemory unit='KiB'>4194303</currentMemory>"
ALL = "<currentMemory unit='KiB'>4194304</currentMemory>"


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_a_balloon_that_holds_memory_is_told_in_a_low_voice(goal: str) -> None:
    finding = found(RULE, HOST, a_memory_guest(extra=LESS).domain, goal=goal)
    assert (finding.severity, finding.safety, finding.sure) == (Severity.INFO, Safety.MANUAL, Sure.LIKELY)
    assert "load not measured" in (finding.note or "")
    assert "virsh setmem guest 4194304 --live --config" in finding.by_hand


@pytest.mark.parametrize(
    "words",
    [
        {"extra": ALL},
        {"extra": ""},
        {"extra": LESS, "balloon": "<memballoon model='none'/>"},
        {"extra": LESS, "virt_type": "xen"},
    ],
)
def test_a_guest_with_all_its_memory_is_right(words: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_memory_guest(**words).domain)


def test_density_hears_nothing() -> None:
    assert silent(RULE, HOST, a_memory_guest(extra=LESS).domain, goal="density")


def test_what_runs_counts_for_a_running_guest() -> None:
    more, less = guest_xml("guest", numatune=ALL), guest_xml("guest", numatune=LESS)
    assert "live XML" in found(RULE, HOST, Guest(more, less).domain).saw
    assert silent(RULE, HOST, Guest(less, more).domain)
    off = found(RULE, HOST, Guest(less, None).domain)
    assert "persistent XML" in off.saw
    assert "virsh setmem guest 4194304 --config" in off.by_hand


def test_a_guest_that_exists_only_while_it_runs_is_changed_live_alone() -> None:
    transient = replace(a_memory_guest(extra=LESS).domain, persistent=False, inactive=None)
    assert "virsh setmem guest 4194304 --live" in found(RULE, HOST, transient).by_hand
