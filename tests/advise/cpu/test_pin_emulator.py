"""cpu.pin.emulator: emulator threads may run on the CPUs of pinned vCPUs."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.intent import Goal
from tests.advise.test_following import check_following
from tests.builders import a_domain, a_guest, a_host, found, silent, values

RULE = "cpu.pin.emulator"
HOST = a_host(cores=8)
PINS = {0: "2", 1: "3"}


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_an_emulator_without_a_pin_is_found_under_every_goal(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(pins=PINS), goal=goal)
    assert values(finding) == {"domain_xml:cputune/emulatorpin/@cpuset": "0", "domain_live:emulatorpin": "0"}
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.SAFE)
    assert "no cputune/emulatorpin keeps the emulator threads off them" in finding.saw


def test_an_emulator_on_a_vcpus_cpu_is_found() -> None:
    finding = found(RULE, HOST, a_domain(pins=PINS, emulator="0,3"))
    assert "CPUs 0,3 (cputune/emulatorpin), where vCPUs are pinned to CPUs 3" in finding.saw


def test_an_emulator_beside_the_vcpus_is_right() -> None:
    assert silent(RULE, HOST, a_domain(pins=PINS, emulator="0-1"))


def test_a_default_mask_off_the_vcpus_is_right_and_one_on_them_is_not() -> None:
    assert silent(RULE, HOST, a_domain(pins=PINS, vcpu_cpuset="0-1"))
    assert "vcpu/@cpuset" in found(RULE, HOST, a_domain(pins=PINS, vcpu_cpuset="0-3")).saw


def test_a_guest_without_pins_is_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(), goal="latency")


@pytest.mark.parametrize(("goal", "speaks"), [("latency", True), ("throughput", True), ("balanced", False)])
def test_a_pool_that_vcpus_and_emulator_share_is_a_choice_unless_speed_is_meant(goal: str, speaks: bool) -> None:
    guest = a_domain(pins={0: "2-5", 1: "2-5"}, emulator="2-5")
    assert silent(RULE, HOST, guest, goal=goal) is not speaks


def test_a_wrong_live_pin_is_put_right_live() -> None:
    guest = a_domain(pins=PINS, emulator="0", live={"emulator": "2"})
    assert values(found(RULE, HOST, guest)) == {"domain_live:emulatorpin": "0"}


def test_vcpus_on_the_hosts_own_cpus_move_with_it() -> None:
    finding = found(RULE, HOST, a_domain(pins={0: "0", 1: "2"}))
    assert values(finding)["domain_xml:cputune/vcpupin[0]/@cpuset"] == "1"
    assert values(finding)["domain_xml:cputune/emulatorpin/@cpuset"] == "0"


def test_without_a_free_cpu_a_person_decides() -> None:
    finding = found(RULE, a_host(cores=2), a_domain(pins={0: "0", 1: "1"}))
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert finding.by_hand


def test_vcpus_that_floated_are_bound_to_memory_with_the_pins_that_hold_them() -> None:
    """Pins for all of a guest that was pinned in part hold it to a node, so its memory belongs there too."""
    host, guest = a_host(nodes=2, cores=3, memory_gib=16), a_guest("a", vcpus=2, pins={1: "0"}, running=False)
    wants = values(found(RULE, host, guest.domain, goal="latency"))
    assert wants["domain_xml:numatune/memory/@nodeset"] == "0"
    check_following(host, [guest], Goal.LATENCY)
