"""mem.balloon.fpr: free page reporting is off where it helps, or on where it does nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.aim import Goal
from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.intent import Intent
from kvmnb.advise.mem.balloon_fpr import worth_it
from kvmnb.advise.view import View
from kvmnb.facts.gap import changed
from tests.advise.mem.builders import HUGEPAGES, PCI, REAL_TIME, a_memory_guest, a_memory_host
from tests.builders import found, silent, values

RULE = "mem.balloon.fpr"
HOST = a_memory_host()
ON = "<memballoon model='virtio' freePageReporting='on'><stats period='5'/></memballoon>"
AGAINST: list[tuple[dict[str, Any], str]] = [
    ({"backing": HUGEPAGES}, "a pool of hugepages"),
    ({"backing": "<locked/>"}, "locked memory"),
    ({"extra": REAL_TIME}, "real-time vCPUs"),
    ({"devices": PCI}, "a device of the host"),
]


def test_a_dense_guest_hands_back_what_it_frees() -> None:
    finding = found(RULE, HOST, a_memory_guest().domain, goal="density")
    assert values(finding) == {"domain_xml:devices/memballoon/@freePageReporting": "on"}
    assert (finding.severity, finding.safety) == (Severity.LOW, Safety.DISRUPTIVE)
    assert "kernel 5.7" in (finding.note or "")


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_memory_guest().domain, goal=goal)
    assert silent(RULE, HOST, a_memory_guest(balloon=ON, backing=HUGEPAGES).domain, goal=goal)


def test_off_is_as_good_as_missing() -> None:
    off = a_memory_guest(balloon=ON.replace("'on'", "'off'")).domain
    assert not silent(RULE, HOST, off, goal="density")
    assert silent(RULE, HOST, a_memory_guest(balloon=ON).domain, goal="density")


@pytest.mark.parametrize(
    "words",
    [
        {"backing": "<source type='memfd'/>"},
        {"balloon": "<memballoon model='none'/>"},
        {"virt_type": "xen"},
        *(words for words, _ in AGAINST),
    ],
)
def test_where_it_would_do_nothing_it_is_not_wanted(words: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_memory_guest(**words).domain, goal="density")


@pytest.mark.parametrize(("enabled", "speaks"), [("always", True), ("madvise", True), ("never", False), (None, False)])
def test_it_is_for_hosts_with_huge_pages_on_request(enabled: str | None, speaks: bool) -> None:
    assert silent(RULE, a_memory_host(enabled=enabled), a_memory_guest().domain, goal="density") is not speaks


@pytest.mark.parametrize(("words", "said"), AGAINST)
def test_where_it_does_nothing_it_is_switched_off(words: dict[str, Any], said: str) -> None:
    finding = found(RULE, HOST, a_memory_guest(balloon=ON, **words).domain, goal="density")
    assert values(finding) == {"domain_xml:devices/memballoon/@freePageReporting": "off"}
    assert said in finding.saw


@pytest.mark.parametrize(
    ("libvirt", "qemu", "safety"),
    [
        ("6.9.0", "5.1.0", Safety.DISRUPTIVE),
        ("6.8.0", "5.1.0", Safety.MANUAL),
        ("6.9.0", "5.0.0", Safety.MANUAL),
        ("6.9.0", None, Safety.MANUAL),
    ],
)
def test_old_programs_are_told(libvirt: str, qemu: str | None, safety: Safety) -> None:
    host = changed(HOST, hypervisor=changed(HOST.hypervisor, libvirt=libvirt, version=qemu))  # type: ignore[type-var]
    finding = found(RULE, host, a_memory_guest().domain, goal="density")
    assert finding.safety is safety
    assert ("older than" in (finding.note or "")) is (safety is Safety.MANUAL)


def test_without_libvirt_it_is_left_to_a_person() -> None:
    finding = found(RULE, changed(HOST, hypervisor=None), a_memory_guest().domain, goal="density")
    assert finding.safety is Safety.MANUAL
    assert "no libvirt" in (finding.note or "")


@pytest.mark.parametrize("words", [{}, {"balloon": ON, "backing": HUGEPAGES}])
def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person(words: dict[str, Any]) -> None:
    transient = replace(a_memory_guest(**words).domain, persistent=False, inactive=None)
    assert found(RULE, HOST, transient, goal="density").safety is Safety.MANUAL


@pytest.mark.parametrize(
    ("goal", "libvirt", "worth"),
    [("density", "9.0.0", True), ("balanced", "9.0.0", False), ("density", "6.8.0", False)],
)
@pytest.mark.parametrize("balloon", ["", ON])
def test_who_makes_the_balloon_is_told_whether_it_is_worth_it(
    balloon: str, goal: str, libvirt: str, worth: bool
) -> None:
    host = changed(HOST, hypervisor=changed(HOST.hypervisor, libvirt=libvirt))  # type: ignore[type-var]
    guest = a_memory_guest(balloon=balloon).domain if balloon else a_memory_guest().domain
    assert worth_it(guest, View(host, (guest,), Intent(goal=Goal(goal)), None)) is (worth and not balloon)


def test_what_is_too_old_is_named() -> None:
    notes = [
        found(
            RULE,
            changed(HOST, hypervisor=changed(HOST.hypervisor, version=version)),  # type: ignore[type-var]
            a_memory_guest().domain,
            goal="density",
        ).note
        for version in ("5.0.0", None)
    ]
    assert notes == [
        "QEMU 5.0.0 is older than 5.1, which brought it",
        "QEMU (version not told) is older than 5.1, which brought it",
    ]


def test_what_is_left_to_a_person_and_what_is_not() -> None:
    kept = a_memory_guest().domain
    transient = replace(kept, persistent=False, inactive=None)
    assert found(RULE, HOST, kept, goal="density").by_hand == ()
    assert found(RULE, HOST, transient, goal="density").by_hand == (
        "virsh edit guest  # freePageReporting='on' in memballoon, once it can be had",
    )
