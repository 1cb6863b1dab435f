"""net.sysctl.rmem: socket buffers are tuned where guests do not use them."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.net.builders import a_bridge, a_nic, interface, with_nics, with_settings
from tests.builders import a_domain, a_host, found, silent

RULE = "net.sysctl.rmem"
HOST = a_host()
FILE = "etc/sysctl.d/90.conf"
OWN = "287901 383870 575802"


def test_what_the_kernel_worked_out_is_right() -> None:
    assert silent(RULE, with_settings(HOST, net__ipv4__tcp_mem=OWN), goal="throughput")
    assert silent(RULE, HOST, goal="throughput")


@pytest.mark.parametrize("value", ["287900 383870 575802", "287901 383870 575803", "4096 87380 16777216"])
def test_numbers_out_of_the_kernels_ratio_are_somebodys(value: str) -> None:
    finding = found(RULE, with_settings(HOST, net__ipv4__tcp_mem=value), goal="throughput")
    assert "not in the kernel's ratio" in finding.saw
    assert (finding.severity, finding.safety, finding.sure) == (Severity.LOW, Safety.MANUAL, Sure.CERTAIN)
    assert len(finding.by_hand) == 1


def test_a_file_that_sets_it_is_named() -> None:
    host = with_settings(HOST, {"net__ipv4__tcp_mem": FILE}, net__ipv4__tcp_mem=OWN)
    finding = found(RULE, host, goal="throughput")
    assert f"/{FILE} sets it" in finding.saw
    assert finding.by_hand[0].startswith(f"editor /{FILE}")


@pytest.mark.parametrize("goal", ["latency", "balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, with_settings(HOST, net__ipv4__tcp_mem="1 2 3"), goal=goal)


@pytest.mark.parametrize("value", ["", "many", "1 2", "1 2 x"])
def test_a_setting_that_is_no_three_numbers_is_left(value: str) -> None:
    host = with_nics(a_nic("eth0", speed_mbit=100_000), host=HOST)
    assert silent(RULE, with_settings(host, net__ipv4__tcp_mem=value, net__ipv4__tcp_rmem=value), goal="throughput")


def test_receive_buffers_that_do_not_grow_are_told() -> None:
    finding = found(RULE, with_settings(HOST, net__ipv4__tcp_moderate_rcvbuf="0"), goal="throughput")
    assert finding.by_hand == ("sysctl -w net.ipv4.tcp_moderate_rcvbuf=1",)
    assert silent(RULE, with_settings(HOST, net__ipv4__tcp_moderate_rcvbuf="1"), goal="throughput")


@pytest.mark.parametrize(("speed", "largest", "fires"), [
    (10_000, 1_249_999, True), (10_000, 1_250_000, False), (9_999, 1, False), (100_000, 6_291_456, True),
])  # fmt: skip
@pytest.mark.parametrize("key", ["net__ipv4__tcp_rmem", "net__ipv4__tcp_wmem"])
def test_a_fast_nic_of_the_host_needs_large_buffers(key: str, speed: int, largest: int, fires: bool) -> None:
    host = with_settings(with_nics(a_nic("eth0", speed_mbit=speed)), **{key: f"4096 131072 {largest}"})
    if not fires:
        assert silent(RULE, host, goal="throughput")
        return
    finding = found(RULE, host, goal="throughput")
    assert (finding.subject, finding.sure) == ("host/nic/eth0", Sure.POSSIBLE)
    wanted = speed * 1000 // 8 * 2
    assert f'{key.replace("__", ".")}="4096 131072 {wanted}"' in finding.by_hand[1]


def test_a_port_of_a_bridge_does_not_count() -> None:
    host = with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", speed_mbit=100_000))
    assert silent(RULE, with_settings(host, net__ipv4__tcp_rmem="1 1 1"), goal="throughput")


def test_bounds_that_somebody_raised_for_bridged_guests_are_told_kindly() -> None:
    host = with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0"))
    raised = with_settings(host, {"net__core__rmem_max": FILE}, net__core__rmem_max="16777216")
    finding = found(RULE, raised, a_domain(devices=interface()), goal="throughput")
    assert (finding.severity, finding.sure) == (Severity.INFO, Sure.POSSIBLE)
    assert "TCP ends in the guests" in finding.saw
    assert silent(RULE, raised, goal="throughput")
    assert silent(RULE, with_settings(host, net__core__rmem_max="1"), a_domain(devices=interface()), goal="throughput")
