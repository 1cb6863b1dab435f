"""net.vhost: QEMU moves the packets of a virtio NIC itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap
from tests.advise.net.builders import AT, a_process, interface
from tests.builders import a_domain, a_host, found, judged, silent, values

RULE = "net.vhost"
HOST = a_host()


def guest(devices: str, fds: int | Gap | None = 1, **words: Any) -> Domain:
    one = a_domain(devices=devices, **words)
    return replace(one, running_state=a_process(fds)) if fds is not None and one.running else one


@pytest.mark.parametrize("type", ["bridge", "network", "direct", "ethernet"])
@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
def test_qemus_own_backend_becomes_vhost(type: str, goal: str) -> None:
    finding = found(RULE, HOST, guest(interface(type=type, driver="name='qemu'")), goal=goal)
    assert values(finding) == {f"{AT}/driver/@name": "vhost"}
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    assert any("security" in cost for cost in finding.costs)


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, HOST, guest(interface(driver="name='qemu'")), goal="density")


@pytest.mark.parametrize(
    "devices",
    [
        interface(driver="name='vhost'"),
        interface(),
        interface("e1000", driver="name='qemu'"),
        interface(type="user", driver="name='qemu'"),
    ],
)
def test_other_interfaces_are_left(devices: str) -> None:
    assert silent(RULE, HOST, guest(devices))


def test_an_emulated_guest_never_gets_vhost() -> None:
    assert silent(RULE, HOST, guest(interface(driver="name='qemu'"), virt_type="qemu"))
    assert silent(RULE, HOST, guest(interface(), 0, virt_type="qemu"))


def test_a_running_guest_that_got_no_vhost_is_told() -> None:
    finding = found(RULE, HOST, guest(interface(), 0))
    assert (finding.safety, finding.subject) == (Safety.MANUAL, "domain/guest")
    assert "/proc/4711/fd" in finding.saw
    assert "modprobe vhost_net" in finding.by_hand
    assert any("modules-load.d" in line for line in finding.by_hand)


@pytest.mark.parametrize("devices", ["", interface("e1000"), interface(type="user")])
def test_a_guest_without_such_nics_needs_none(devices: str) -> None:
    assert silent(RULE, HOST, guest(devices, 0))


def test_a_shut_off_guest_holds_nothing() -> None:
    assert silent(RULE, HOST, guest(interface(), None, running=False))


def test_a_running_nic_that_chose_qemu_explains_itself() -> None:
    one = a_domain(devices=interface(), live={"devices": interface(driver="name='qemu'")})
    assert silent(RULE, HOST, replace(one, running_state=a_process(0)))


def test_where_processes_are_not_seen_it_is_not_checked() -> None:
    assert "processes" in judged(RULE, HOST, guest(interface(), None)).not_checked[0].reason
    closed = judged(RULE, HOST, guest(interface(), Gap("vhost_net", "needs root")))
    assert "needs root" in closed.not_checked[0].reason
