"""cpu.pin.vcpu: the vCPUs of a guest that is meant to have its own CPUs float."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.advise.intent import GuestIntent, Intent, Policy
from kvmnb.advise.intent_file import asked
from tests.advise.windows import a_guest_load, a_window
from tests.builders import a_domain, a_host, an_intent, bound_to, found, silent, uuid_of, values

RULE = "cpu.pin.vcpu"
LATENCY = asked(Intent(), "latency")


def test_a_floating_vcpu_on_two_cpus_gets_the_second_one_at_once() -> None:
    finding = found(RULE, a_host(cores=2), a_domain(vcpus=1, virt_type="qemu"), intent=LATENCY)
    assert values(finding) == {
        "domain_xml:cputune/vcpupin[0]/@cpuset": "1",
        "domain_live:vcpupin[0]": "1",
        "domain_xml:cputune/emulatorpin/@cpuset": "0",
        "domain_live:emulatorpin": "0",
    }
    assert (finding.severity, finding.safety, finding.sure) == (Severity.HIGH, Safety.SAFE, Sure.LIKELY)
    assert "vCPU 0 may run on all 2 CPUs of the host" in finding.saw
    assert "persistent XML and live XML" in finding.saw
    assert finding.rests_on == ("goal latency (asked for)",)
    assert "load not measured" in (finding.note or "")


def test_a_live_mask_that_spans_all_cpus_floats() -> None:
    guest = a_domain(vcpus=1, pins={0: "1"}, live={"pins": {0: "0-1"}})
    finding = found(RULE, a_host(cores=2), guest, goal="latency")
    assert "the mask 0-1 spans all CPUs" in finding.saw
    assert values(finding) == {
        "domain_live:vcpupin[0]": "1",
        "domain_xml:cputune/emulatorpin/@cpuset": "0",
        "domain_live:emulatorpin": "0",
    }


def test_a_shut_off_guest_is_pinned_in_its_persistent_xml_alone() -> None:
    finding = found(RULE, a_host(), a_domain(vcpus=1, running=False), goal="latency")
    assert all(want.tunable.kind == "domain_xml" for want in finding.wants)


def test_on_several_nodes_the_memory_is_bound_too_and_the_restart_is_named() -> None:
    finding = found(RULE, a_host(nodes=2), a_domain(vcpus=2), goal="latency")
    assert values(finding)["domain_xml:numatune/memory/@mode"] == "strict"
    assert values(finding)["domain_xml:numatune/memory/@nodeset"] == "0"
    assert finding.safety is Safety.DISRUPTIVE
    assert any("a reboot inside the guest is not enough" in cost for cost in finding.costs)


def test_memory_that_is_bound_already_leaves_the_pins_safe() -> None:
    guest = a_domain(vcpus=2, numatune=bound_to("1"))
    finding = found(RULE, a_host(nodes=2), guest, goal="latency")
    assert finding.safety is Safety.SAFE
    assert values(finding)["domain_xml:cputune/vcpupin[0]/@cpuset"] == "5"


def test_a_mask_over_two_nodes_floats_and_one_within_a_node_does_not() -> None:
    host = a_host(nodes=2, cores=8)
    wide = a_domain(vcpus=2, vcpu_cpuset="7-8")
    assert "CPUs 7-8, which lie on nodes 0-1" in found(RULE, host, wide, goal="latency").saw
    assert silent(RULE, host, a_domain(vcpus=2, vcpu_cpuset="0-7"), goal="latency")


def test_one_floating_vcpu_beside_pinned_ones_is_found() -> None:
    finding = found(RULE, a_host(cores=8), a_domain(vcpus=3, pins={0: "1", 2: "2"}), goal="latency")
    assert "vCPU 1 may run on all 8 CPUs" in finding.saw
    assert values(finding)["domain_xml:cputune/vcpupin[1]/@cpuset"] == "3"


def test_a_pinned_guest_does_not_float() -> None:
    assert silent(RULE, a_host(), a_domain(vcpus=2, pins={0: "1", 1: "2"}), goal="latency")


@pytest.mark.parametrize("goal", ["balanced", "throughput", "density"])
def test_a_guest_without_pins_is_meant_to_float_under_other_goals(goal: str) -> None:
    assert silent(RULE, a_host(), a_domain(), goal=goal)


@pytest.mark.parametrize(("goal", "speaks"), [("latency", True), ("throughput", True), ("balanced", False)])
def test_pins_that_hold_nothing_are_found_where_the_goal_is_speed(goal: str, speaks: bool) -> None:
    guest = a_domain(vcpus=2, pins={0: "0-7", 1: "0-7"})
    assert silent(RULE, a_host(cores=8), guest, goal=goal) is not speaks


def test_policy_dedicated_speaks_under_any_goal() -> None:
    intent = an_intent("density", guest=GuestIntent(policy=Policy.DEDICATED))
    assert "policy dedicated ('guest' in kvmnb.toml)" in (found(RULE, a_host(), a_domain(), intent=intent).note or "")


def test_policy_shared_is_silent_under_goal_latency() -> None:
    assert silent(RULE, a_host(), a_domain(), intent=an_intent("latency", guest=GuestIntent(policy=Policy.SHARED)))


def test_a_policy_by_uuid_counts() -> None:
    intent = an_intent("latency", **{uuid_of("guest"): GuestIntent(policy=Policy.FLOATING)})
    assert silent(RULE, a_host(), a_domain(), intent=intent)


def test_too_few_cores_leave_it_to_a_person() -> None:
    finding = found(RULE, a_host(cores=2), a_domain(vcpus=2), goal="latency")
    assert (finding.wants, finding.safety, finding.severity) == ((), Safety.MANUAL, Severity.LOW)
    assert "need 2 physical cores, and 1 are there" in (finding.note or "")


def test_one_core_more_is_enough() -> None:
    assert found(RULE, a_host(cores=3), a_domain(vcpus=2), goal="latency").wants


def test_on_a_host_of_one_cpu_nothing_floats() -> None:
    assert silent(RULE, a_host(cores=1), a_domain(vcpus=1), goal="latency")


def test_a_guest_that_numad_places_does_not_float() -> None:
    assert silent(RULE, a_host(), a_domain(vcpu_placement="auto"), goal="latency")


def test_a_vcpu_that_is_not_plugged_in_gets_no_live_pin() -> None:
    finding = found(RULE, a_host(cores=8), a_domain(vcpus=3, current=2), goal="latency")
    live = [name for name in values(finding) if name.startswith("domain_live:vcpupin")]
    assert live == ["domain_live:vcpupin[0]", "domain_live:vcpupin[1]"]
    assert "domain_xml:cputune/vcpupin[2]/@cpuset" in values(finding)


def test_iothreads_are_pinned_with_the_vcpus() -> None:
    finding = found(RULE, a_host(cores=8, threads=2), a_domain(vcpus=1, iothreads=1), goal="latency")
    assert values(finding)["domain_xml:cputune/iothreadpin[1]/@cpuset"] == "8"
    assert values(finding)["domain_live:iothreadpin[1]"] == "8"


@pytest.mark.parametrize(("delay", "sure"), [(0.01, Sure.CERTAIN), (0.009, Sure.LIKELY)])
def test_vcpus_that_wait_make_it_certain(delay: float, sure: Sure) -> None:
    load = a_window(a_guest_load([(0.5, delay), (0.5, delay)]))
    finding = found(RULE, a_host(nodes=2), a_domain(vcpus=2), goal="latency", load=load)
    assert finding.sure is sure
    assert f"were ready without a CPU {delay:.1%} of the time over 10 s" in (finding.note or "")


def test_a_mask_over_three_nodes_floats_too() -> None:
    host = a_host(nodes=4, cores=4)
    assert "CPUs 3-8, which lie on nodes 0-2" in found(RULE, host, a_domain(vcpu_cpuset="3-8"), goal="latency").saw


def test_vcpus_that_are_not_plugged_in_float_in_the_persistent_xml_alone() -> None:
    saw = found(RULE, a_host(cores=8), a_domain(vcpus=3, current=2), goal="latency").saw
    assert "vCPUs 0-2 may run on all 8 CPUs of the host: no vcpupin, no vcpu/@cpuset (persistent XML)" in saw
    assert "vCPUs 0-1 may run on all 8 CPUs of the host: no vcpupin, no vcpu/@cpuset (live XML)" in saw


def test_vcpus_that_wait_long_make_it_certain_too() -> None:
    load = a_window(a_guest_load([(0.5, 0.02), (0.5, 0.02)]))
    assert found(RULE, a_host(nodes=2), a_domain(vcpus=2), goal="latency", load=load).sure is Sure.CERTAIN
