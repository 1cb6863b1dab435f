"""cpu.pin.iothread: iothreads of a pinned guest may run on the CPUs of its vCPUs."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_domain, a_host, found, silent, values

RULE = "cpu.pin.iothread"
HOST = a_host(cores=8, threads=2)
PINS = {0: "2", 1: "3"}


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_an_iothread_without_a_pin_gets_one_under_every_goal(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(pins=PINS, iothreads=1, emulator="0"), goal=goal)
    assert values(finding) == {"domain_xml:cputune/iothreadpin[1]/@cpuset": "8", "domain_live:iothreadpin[1]": "8"}
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.SAFE)


def test_only_the_iothread_on_a_vcpus_cpu_moves() -> None:
    guest = a_domain(pins=PINS, iothreads=2, iothread_pins={1: "2", 2: "0"})
    finding = found(RULE, HOST, guest)
    assert "iothread 1 may run on CPUs 2, where vCPUs are pinned to CPUs 2" in finding.saw
    assert "iothread 2" not in finding.saw
    assert set(values(finding)) == {"domain_xml:cputune/iothreadpin[1]/@cpuset", "domain_live:iothreadpin[1]"}


def test_iothreads_beside_the_vcpus_are_right() -> None:
    assert silent(RULE, HOST, a_domain(pins=PINS, iothreads=1, iothread_pins={1: "0"}))


def test_a_default_mask_off_the_vcpus_is_right_and_one_on_them_is_not() -> None:
    assert silent(RULE, HOST, a_domain(pins=PINS, iothreads=1, vcpu_cpuset="0"))
    assert not silent(RULE, HOST, a_domain(pins=PINS, iothreads=1, vcpu_cpuset="0-2"))


def test_a_guest_without_iothreads_or_without_pins_is_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(pins=PINS))
    assert silent(RULE, HOST, a_domain(iothreads=1))


@pytest.mark.parametrize(("goal", "speaks"), [("latency", True), ("balanced", False)])
def test_a_shared_pool_is_a_choice_unless_speed_is_meant(goal: str, speaks: bool) -> None:
    guest = a_domain(pins={0: "2-5", 1: "2-5"}, iothreads=1)
    assert silent(RULE, HOST, guest, goal=goal) is not speaks


def test_vcpus_on_the_hosts_own_cpus_move_with_it() -> None:
    finding = found(RULE, HOST, a_domain(pins={0: "0", 1: "8"}, iothreads=1))
    assert values(finding)["domain_xml:cputune/vcpupin[0]/@cpuset"] == "1"
    assert values(finding)["domain_xml:cputune/iothreadpin[1]/@cpuset"] == "8"


def test_without_a_free_cpu_a_person_decides() -> None:
    finding = found(RULE, a_host(cores=2), a_domain(pins={0: "0", 1: "1"}, iothreads=1))
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert finding.by_hand
