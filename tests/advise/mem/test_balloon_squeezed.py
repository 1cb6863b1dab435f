"""mem.balloon.squeezed: a balloon takes memory from the guest that it may be short of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Finding, Safety, Severity, Sure
from kvmnb.facts.gap import Gap
from tests.advise.mem.builders import a_memory_guest, a_memory_host
from tests.advise.windows import a_guest_load, a_window
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


def after(seconds: float = 60, **told: Any) -> Finding:
    """What is said after a window in which the guest reported this."""
    load = a_window(a_guest_load(**told), seconds=seconds)
    return found(RULE, HOST, a_memory_guest(extra=LESS).domain, load=load)


@pytest.mark.parametrize(
    ("usable", "swapped", "severity"),
    [
        (0.1, 0.0, Severity.INFO),
        (0.099, 0.0, Severity.HIGH),
        (0.099, None, Severity.HIGH),
        (0.5, 1.0, Severity.HIGH),
        (None, 1.0, Severity.HIGH),
        (None, 0.0, Severity.INFO),
        (0.5, None, Severity.INFO),
    ],
)
def test_the_guests_own_reports_tell_whether_it_is_short(
    usable: float | None, swapped: float | None, severity: Severity
) -> None:
    finding = after(memory_usable_ratio=usable, swapped_in_bytes_per_second=swapped)
    assert (finding.severity, finding.sure) == (severity, Sure.CERTAIN)
    assert (usable is not None) == (f"{usable or 0:.0%} of its memory is usable" in (finding.note or ""))
    assert (swapped is not None) == ("/s back from its swap over 60 s" in (finding.note or ""))


def test_a_short_window_may_show_a_burst() -> None:
    note = "50% of its memory is usable without swapping; it reads 0 bytes/s back from its swap over 59 s; "
    finding = after(59, memory_usable_ratio=0.5, swapped_in_bytes_per_second=0.0)
    assert finding.note == f"{note}59 s were measured, which may be a burst: 60 s or more tell"


def test_a_balloon_without_reports_says_so() -> None:
    finding = after()
    assert (finding.severity, finding.sure) == (Severity.INFO, Sure.LIKELY)
    assert finding.note == "load not measured: the guest's balloon reported nothing (mem.balloon.stats)"


@pytest.mark.parametrize("unread", ["memory_usable_ratio", "swapped_in_bytes_per_second"])
def test_reports_that_were_not_read_tell_nothing(unread: str) -> None:
    told: dict[str, Any] = {
        "memory_usable_ratio": 0.01,
        "swapped_in_bytes_per_second": 9.0,
        unread: Gap(unread, "late"),
    }
    finding = after(**told)
    assert (finding.severity, finding.sure) == (Severity.INFO, Sure.LIKELY)
    assert "were not read" in (finding.note or "")
