"""dev.agent: nobody in the guest answers the host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.domain import Domain
from tests.builders import a_domain, a_host, found, silent, values

RULE = "dev.agent"
HOST = a_host()


def channel(state: str = "", name: str = "org.qemu.guest_agent.0") -> str:
    word = f" state='{state}'" if state else ""
    return f"<channel type='unix'><target type='virtio' name='{name}'{word}/></channel>"


def guest(state: str, running: bool = True) -> Domain:
    return a_domain(devices=channel(), live={"devices": channel(state)}, running=running)


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_a_guest_without_the_channel_gets_one(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=channel(name="com.redhat.spice.0")), goal=goal)
    assert values(finding) == {"domain_xml:devices/channel[org.qemu.guest_agent.0]": channel()}
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.DISRUPTIVE)


def test_where_nothing_listens_the_guest_lacks_the_agent() -> None:
    finding = found(RULE, HOST, guest("disconnected"))
    assert (finding.severity, finding.safety, finding.sure) == (Severity.LOW, Safety.MANUAL, Sure.LIKELY)


@pytest.mark.parametrize("state", ["connected", ""])
def test_a_channel_that_is_used_or_not_told_is_right(state: str) -> None:
    assert silent(RULE, HOST, guest(state))


def test_a_shut_off_guest_with_the_channel_is_right() -> None:
    assert silent(RULE, HOST, guest("", running=False))


def test_other_hypervisors_are_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(virt_type="xen"))


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    finding = found(RULE, HOST, replace(a_domain(), persistent=False, inactive=None))
    assert finding.safety is Safety.MANUAL
    assert "virsh attach-device guest channel.xml --live" in finding.by_hand[0]
