"""cpu.pin.overlap: CPU pins contradict each other, or name CPUs that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.intent import GuestIntent, Policy
from tests.builders import a_domain, a_host, an_intent, found, silent, values

RULE = "cpu.pin.overlap"
HOST = a_host(cores=8)
LARGE = a_domain("large", vcpus=2, pins={0: "2", 1: "3"}, emulator="0")
SMALL = a_domain("small", vcpus=1, pins={0: "3"}, emulator="0")


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_of_two_running_guests_on_one_cpu_the_smaller_one_moves(goal: str) -> None:
    finding = found(RULE, HOST, SMALL, LARGE, goal=goal)
    assert "vCPU 0 and vCPU 1 of guest 'large' are both pinned to CPU 3 alone" in finding.saw
    assert values(finding) == {"domain_xml:cputune/vcpupin[0]/@cpuset": "1", "domain_live:vcpupin[0]": "1"}
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.SAFE)


def test_the_guest_that_stays_is_told_which_one_moves() -> None:
    finding = found(RULE, HOST, LARGE, SMALL)
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert "'small'" in finding.by_hand[0]


def test_a_cpu_shared_with_a_guest_that_is_shut_off_is_less_grave() -> None:
    rests = a_domain("rests", vcpus=1, pins={0: "3"}, running=False)
    finding = found(RULE, HOST, rests, LARGE)
    assert finding.severity is Severity.MEDIUM
    assert "which is shut off" in found(RULE, HOST, LARGE, rests).saw


def test_two_vcpus_of_one_guest_on_one_cpu_are_parted() -> None:
    finding = found(RULE, HOST, a_domain(vcpus=2, pins={0: "3", 1: "3"}, emulator="0"))
    assert "vCPUs 0 and 1 are both pinned to CPU 3 alone" in finding.saw
    assert values(finding)["domain_xml:cputune/vcpupin[1]/@cpuset"] == "1"


def test_guests_on_their_own_cpus_are_right() -> None:
    assert silent(RULE, HOST, LARGE, a_domain("other", vcpus=1, pins={0: "4"}))


def test_pools_that_overlap_are_a_choice() -> None:
    one, two = (a_domain(name, pins={0: "2-5", 1: "2-5"}) for name in ("one", "two"))
    assert silent(RULE, HOST, one, two)


def test_a_single_cpu_in_another_guests_pool_is_found_on_the_one_that_has_no_choice() -> None:
    pool = a_domain("pool", pins={0: "2-5", 1: "2-5"})
    finding = found(RULE, HOST, LARGE, pool)
    assert "CPUs 2-3, each the only one of a vCPU, are also in the pools of guests 'pool'" in finding.saw
    assert (finding.severity, finding.subject) == (Severity.LOW, "domain/large/pools")
    assert silent(RULE, HOST, pool, LARGE)


def test_a_pin_to_an_offline_cpu_is_grave() -> None:
    finding = found(RULE, a_host(cores=8, offline="7"), a_domain(vcpus=2, pins={0: "2", 1: "7"}, emulator="0"))
    assert "vCPU 1 (cputune/vcpupin) are held to CPUs 7, which are not among the host's online CPUs 0-6" in finding.saw
    assert values(finding) == {"domain_xml:cputune/vcpupin[1]/@cpuset": "1", "domain_live:vcpupin[1]": "1"}
    assert finding.severity is Severity.HIGH


def test_a_pool_with_an_offline_cpu_is_less_grave_and_left_to_a_person() -> None:
    finding = found(RULE, HOST, a_domain(vcpus=1, pins={0: "7-8"}))
    assert "CPUs 7-8, and of these 8" in finding.saw
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.MANUAL)


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ({"emulator": "64"}, "the emulator threads (cputune/emulatorpin)"),
        ({"iothreads": 1, "iothread_pins": {1: "64"}}, "iothread 1 (cputune/iothreadpin)"),
        ({"vcpu_cpuset": "64"}, "threads without a pin (vcpu/@cpuset)"),
    ],
)
def test_other_threads_on_cpus_that_are_not_there_are_found(words: dict[str, Any], who: str) -> None:
    assert who in found(RULE, HOST, a_domain(**words)).saw


def test_a_pin_for_a_vcpu_that_is_not_there_is_taken_away() -> None:
    finding = found(RULE, HOST, a_domain(vcpus=1, pins={0: "2", 1: "3"}, emulator="0", live={"pins": {0: "2"}}))
    assert values(finding) == {"domain_xml:cputune/vcpupin[1]": None}
    assert (finding.severity, finding.safety) == (Severity.LOW, Safety.SAFE)


def test_a_pool_of_isolated_cpus_is_found_and_single_ones_are_right() -> None:
    host = a_host(cores=8, isolated="4-5")
    assert "takes in 4-5, isolated" in found(RULE, host, a_domain(pins={0: "3-5", 1: "3-5"})).saw
    assert silent(RULE, host, a_domain(pins={0: "4", 1: "5"}))


def test_a_host_without_a_cpu_of_its_own_is_found_on_the_guest_that_should_move() -> None:
    host = a_host(cores=4)
    one = a_domain("one", vcpus=2, pins={0: "0", 1: "1"})
    two = a_domain("two", vcpus=2, pins={0: "2", 1: "3"})
    assert "none is left for the host; this one has CPUs 0" in found(RULE, host, one, two).saw
    assert silent(RULE, host, two, one)
    assert silent(RULE, host, one, a_domain("two", vcpus=1, pins={0: "2"}))
    assert silent(RULE, host, one, a_domain("two", vcpus=2, pins={0: "2", 1: "3"}, running=False))


def test_where_guests_are_meant_to_share_a_person_decides() -> None:
    intent = an_intent(small=GuestIntent(policy=Policy.SHARED), large=GuestIntent(policy=Policy.SHARED))
    finding = found(RULE, HOST, SMALL, LARGE, intent=intent)
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)


def test_a_guest_that_moves_to_another_node_takes_its_memory_along() -> None:
    host = a_host(nodes=2, cores=3)
    full = a_domain("full", vcpus=2, pins={0: "1", 1: "2"})
    finding = found(RULE, host, a_domain("small", vcpus=1, pins={0: "2"}), full)
    assert values(finding)["domain_xml:numatune/memory/@nodeset"] == "1"
    assert finding.safety is Safety.DISRUPTIVE
    assert finding.costs


def test_two_pins_too_many_are_taken_away_together() -> None:
    guest = a_domain(vcpus=1, pins={0: "2", 1: "3", 2: "4", 3: "64"}, emulator="0", live={"pins": {0: "2"}})
    finding = found(RULE, HOST, guest)
    assert values(finding) == {f"domain_xml:cputune/vcpupin[{vcpu}]": None for vcpu in (1, 2, 3)}
    assert finding.saw == "pins for vCPUs 1-3, which the guest with 1 vCPUs does not have (cputune/vcpupin)"
    assert finding.note is None


def test_pins_too_many_go_with_a_move() -> None:
    guest = a_domain("small", vcpus=1, pins={0: "3", 1: "4"}, emulator="0", live={"pins": {0: "3"}})
    wanted = values(found(RULE, HOST, guest, LARGE))
    assert wanted == {
        "domain_xml:cputune/vcpupin[0]/@cpuset": "4",
        "domain_live:vcpupin[0]": "4",
        "domain_xml:cputune/vcpupin[1]": None,
    }


def test_a_move_says_why_its_cpus_were_chosen() -> None:
    assert (found(RULE, HOST, SMALL, LARGE).note or "").startswith("chosen: ")


def test_vcpus_without_any_usable_cpu_and_with_some_are_told_apart() -> None:
    host = a_host(cores=8, offline="6-7")
    saw = found(RULE, host, a_domain(vcpus=3, pins={0: "6", 1: "5-6", 2: "7"})).saw
    assert "vCPUs 0,2 (cputune/vcpupin) are held to CPUs 6-7, which are not among" in saw
    assert "vCPU 1 (cputune/vcpupin) are held to CPUs 5-6, and of these 6, which are not among" in saw


def test_a_pool_of_three_takes_in_an_isolated_cpu_too() -> None:
    assert "takes in 5, isolated" in found(RULE, a_host(cores=8, isolated="5"), a_domain(pins={0: "3-5", 1: "2"})).saw
