"""cpu.pin.siblings: pinned vCPUs share physical cores in another way than the guest is told."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_domain, a_host, found, silent, topology, values

RULE = "cpu.pin.siblings"
HOST = a_host(cores=8, threads=2)


@pytest.mark.parametrize(
    ("goal", "severity"), [("latency", Severity.HIGH), ("throughput", Severity.HIGH), ("balanced", Severity.MEDIUM)]
)
def test_two_vcpus_on_the_threads_of_one_core_are_parted(goal: str, severity: Severity) -> None:
    finding = found(RULE, HOST, a_domain(vcpus=2, pins={0: "2", 1: "10"}), goal=goal)
    assert "vCPU 0 on CPU 2 and vCPU 1 on CPU 10 share a core" in finding.saw
    assert values(finding)["domain_xml:cputune/vcpupin[1]/@cpuset"] == "1"
    assert values(finding)["domain_live:vcpupin[1]"] == "1"
    assert (finding.severity, finding.safety) == (severity, Safety.SAFE)


def test_under_density_shared_cores_are_taken_for_granted() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=2, pins={0: "2", 1: "10"}), goal="density")


def test_one_vcpu_on_each_core_is_right() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=2, pins={0: "2", 1: "3"}), goal="latency")


def test_guest_threads_on_sibling_pairs_are_right() -> None:
    pins = {0: "2", 1: "10", 2: "3", 3: "11"}
    assert silent(RULE, HOST, a_domain(vcpus=4, pins=pins, cpu=topology(1, 2, 2)), goal="latency")


def test_guest_threads_on_two_cores_are_brought_together() -> None:
    pins = {0: "2", 1: "3", 2: "10", 3: "11"}
    finding = found(RULE, HOST, a_domain(vcpus=4, pins=pins, cpu=topology(1, 2, 2)), goal="latency")
    assert "the guest is told that vCPUs 0-1 share a core, yet vCPU 0 on CPU 2, vCPU 1 on CPU 3 do not" in finding.saw
    assert values(finding)["domain_xml:cputune/vcpupin[1]/@cpuset"] == "10"
    assert values(finding)["domain_xml:cputune/vcpupin[2]/@cpuset"] == "3"


def test_guest_threads_on_a_host_without_them_are_not_judged_here() -> None:
    pins = {0: "2", 1: "3"}
    assert silent(RULE, a_host(cores=8), a_domain(vcpus=2, pins=pins, cpu=topology(1, 1, 2)), goal="latency")


def test_a_core_that_two_guests_share_moves_the_smaller_one() -> None:
    large = a_domain("large", vcpus=2, pins={0: "2", 1: "3"})
    small = a_domain("small", vcpus=1, pins={0: "10"})
    moves, stays = found(RULE, HOST, small, large, goal="latency"), found(RULE, HOST, large, small, goal="latency")
    assert "vCPU 0 and vCPU 0 of guest 'large' share a core, on CPUs 10 and 2" in moves.saw
    assert values(moves)["domain_xml:cputune/vcpupin[0]/@cpuset"] == "1"
    assert (stays.wants, stays.safety) == ((), Safety.MANUAL)
    assert "'small'" in stays.by_hand[0]


def test_a_core_shared_with_a_guest_that_is_shut_off_is_less_grave() -> None:
    runs = a_domain("runs", vcpus=1, pins={0: "2"})
    rests = a_domain("rests", vcpus=1, pins={0: "10"}, running=False)
    assert found(RULE, HOST, rests, runs, goal="latency").severity is Severity.MEDIUM


def test_two_vcpus_on_the_very_same_cpu_are_not_judged_here() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=2, pins={0: "2", 1: "2"}), goal="latency")


def test_pools_are_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(vcpus=2, pins={0: "2,10", 1: "2,10"}), goal="latency")


def test_a_wrong_live_pin_is_put_right_live() -> None:
    guest = a_domain(vcpus=2, pins={0: "2", 1: "3"}, emulator="0", live={"pins": {0: "2", 1: "10"}})
    assert values(found(RULE, HOST, guest, goal="latency")) == {"domain_live:vcpupin[1]": "3"}


def test_without_enough_cores_a_person_decides() -> None:
    pins = {0: "1", 1: "5", 2: "2", 3: "6"}
    finding = found(RULE, a_host(cores=4, threads=2), a_domain(vcpus=4, pins=pins), goal="latency")
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert "two threads per core" in finding.by_hand[0]


def test_many_pairs_are_told_in_short() -> None:
    pins = {vcpu: str(1 + vcpu // 2 + 8 * (vcpu % 2)) for vcpu in range(14)}
    assert "and 3 more pairs like these" in found(RULE, HOST, a_domain(vcpus=14, pins=pins), goal="latency").saw


def test_guest_threads_that_the_host_cannot_hold_on_one_core_are_not_judged() -> None:
    pins = {0: "2", 1: "3", 2: "4", 3: "5"}
    assert silent(RULE, HOST, a_domain(vcpus=4, pins=pins, cpu=topology(1, 1, 4)), goal="latency")


def test_guest_cores_of_two_threads_fit_on_cores_of_four() -> None:
    host = a_host(cores=4, threads=4)
    finding = found(RULE, host, a_domain(vcpus=2, pins={0: "1", 1: "2"}, cpu=topology(1, 1, 2)), goal="latency")
    assert "vCPUs 0-1 share a core, yet vCPU 0 on CPU 1, vCPU 1 on CPU 2 do not" in finding.saw
    right = {0: "1", 1: "5"}
    assert silent(RULE, host, a_domain(vcpus=2, pins=right, cpu=topology(1, 1, 2)), goal="latency")


def test_of_two_torn_guest_cores_the_first_is_told() -> None:
    pins = {0: "2", 1: "3", 2: "10", 3: "11"}
    saw = found(RULE, HOST, a_domain(vcpus=4, pins=pins, cpu=topology(1, 2, 2)), goal="latency").saw
    assert saw.count("the guest is told that") == 1
    assert "vCPUs 2-3" not in saw


def test_a_guest_without_pins_beside_one_with_them_is_silent() -> None:
    pinned = a_domain("pinned", vcpus=1, pins={0: "2"})
    assert silent(RULE, HOST, a_domain(vcpus=2), pinned, goal="latency")
    assert silent(RULE, HOST, a_domain(vcpus=2, running=False), pinned, goal="latency")


def test_a_pin_of_the_running_guest_alone_counts() -> None:
    guest = a_domain(vcpus=2, live={"pins": {0: "2", 1: "10"}})
    assert "vCPU 0 on CPU 2 and vCPU 1 on CPU 10 share a core" in found(RULE, HOST, guest, goal="latency").saw


def test_a_choice_is_named_and_so_is_its_lack() -> None:
    room = found(RULE, HOST, a_domain(vcpus=2, pins={0: "2", 1: "10"}), goal="latency")
    pins = {0: "1", 1: "5", 2: "2", 3: "6"}
    none = found(RULE, a_host(cores=4, threads=2), a_domain(vcpus=4, pins=pins), goal="latency")
    assert (room.note or "").startswith("chosen: ")
    assert none.note
    assert not none.note.startswith("chosen: ")
