"""net.queues: the queues of a virtio NIC do not fit the guest's vCPUs."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.net.builders import AT, interface
from tests.advise.windows import a_guest_load, a_window
from tests.builders import a_domain, a_host, found, silent, values

RULE = "net.queues"
HOST = a_host()


@pytest.mark.parametrize(("vcpus", "queues"), [(2, "2"), (3, "3"), (4, "4"), (5, "4"), (64, "4")])
@pytest.mark.parametrize("driver", ["", "queues='1'"])
def test_one_queue_becomes_four_or_as_many_as_vcpus(vcpus: int, queues: str, driver: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=interface(driver=driver), vcpus=vcpus), goal="throughput")
    assert values(finding) == {f"{AT}/driver/@queues": queues}
    assert (finding.severity, finding.safety, finding.sure) == (Severity.MEDIUM, Safety.DISRUPTIVE, Sure.LIKELY)
    assert finding.note == "load not measured"
    assert any("migration" in cost for cost in finding.costs)


@pytest.mark.parametrize("goal", ["latency", "balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=interface()), goal=goal)


def test_one_vcpu_needs_one_queue() -> None:
    assert silent(RULE, HOST, a_domain(devices=interface(), vcpus=1), goal="throughput")
    assert silent(RULE, HOST, a_domain(devices=interface(), vcpus=4, current=1), goal="throughput")


@pytest.mark.parametrize(("vcpus", "queues", "right"), [(2, 3, "2"), (8, 9, "8"), (12, 16, "8")])
def test_more_queues_than_vcpus_are_too_many(vcpus: int, queues: int, right: str) -> None:
    guest = a_domain(devices=interface(driver=f"queues='{queues}'"), vcpus=vcpus)
    finding = found(RULE, HOST, guest, goal="throughput")
    assert values(finding) == {f"{AT}/driver/@queues": right}
    assert (finding.sure, finding.note) == (Sure.CERTAIN, None)
    assert f"{queues} queues for {vcpus} vCPUs" in finding.saw


@pytest.mark.parametrize(("vcpus", "queues"), [(2, 2), (8, 2), (12, 12)])
def test_as_many_queues_as_vcpus_or_fewer_are_somebodys_choice(vcpus: int, queues: int) -> None:
    assert silent(RULE, HOST, a_domain(devices=interface(driver=f"queues='{queues}'"), vcpus=vcpus), goal="throughput")


def test_vcpus_that_can_be_plugged_in_count_for_the_most() -> None:
    assert silent(RULE, HOST, a_domain(devices=interface(driver="queues='4'"), vcpus=4, current=2), goal="throughput")


@pytest.mark.parametrize(("queues", "fires"), [(256, False), (257, True)])
def test_a_tap_takes_256_queues(queues: int, fires: bool) -> None:
    guest = a_domain(devices=interface(driver=f"queues='{queues}'"), vcpus=300)
    if fires:
        assert "does not start" in found(RULE, HOST, guest, goal="throughput").saw
    else:
        assert silent(RULE, HOST, guest, goal="throughput")


@pytest.mark.parametrize("type", ["user", "hostdev", "vhostuser", "ethernet"])
def test_only_taps_of_libvirt_are_given_queues(type: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=interface(type=type)), goal="throughput")


@pytest.mark.parametrize("type", ["network", "direct"])
def test_networks_and_macvtaps_are_judged_too(type: str) -> None:
    assert found(RULE, HOST, a_domain(devices=interface(type=type)), goal="throughput")


def test_a_tap_made_outside_may_have_too_many() -> None:
    assert found(RULE, HOST, a_domain(devices=interface(type="ethernet", driver="queues='3'")), goal="throughput")


def test_queues_of_an_imitated_card_mean_nothing() -> None:
    assert silent(RULE, HOST, a_domain(devices=interface("e1000", driver="queues='9'")), goal="throughput")


@pytest.mark.parametrize(
    ("threads", "severity", "sure"),
    [
        ([("vhost", 1, 0.1), ("vhost", 2, 0.8)], Severity.MEDIUM, Sure.CERTAIN),
        ([("vhost", 1, 0.79), ("emulator", 0, 1.0)], Severity.LOW, Sure.LIKELY),
        ([], Severity.MEDIUM, Sure.LIKELY),
    ],
)
def test_a_busy_vhost_thread_makes_it_certain_and_an_idle_one_less_grave(
    threads: list[tuple[str, int, float]], severity: Severity, sure: Sure
) -> None:
    guest = a_domain(devices=interface(), vcpus=4)
    finding = found(RULE, HOST, guest, goal="throughput", load=a_window(a_guest_load(threads=threads)))
    assert (finding.severity, finding.sure) == (severity, sure)
    assert ("not measured" in (finding.note or "")) is not bool(threads)
