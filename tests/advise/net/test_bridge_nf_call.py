"""net.bridge.nf_call: bridged packets of guests go through the host's IP filters."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.host import Host
from kvmnb.facts.network import BridgeNetfilter, Nic
from tests.advise.net.builders import a_bridge, a_nic, calls, interface, turned, with_nics
from tests.builders import a_domain, found, silent

RULE = "net.bridge.nf_call"
GUEST = a_domain(devices=interface())


def host(switches: BridgeNetfilter | None, *more: Nic) -> Host:
    return with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0"), *more, bridge_netfilter=switches)


@pytest.mark.parametrize("name", ["iptables", "ip6tables", "arptables"])
@pytest.mark.parametrize("goal", ["throughput", "latency"])
def test_a_switch_that_is_on_is_turned_off(name: str, goal: str) -> None:
    one = calls(**{"iptables": False, name: True})
    finding = found(RULE, host(one), GUEST, goal=goal)
    assert [(str(want.tunable), want.value) for want in finding.wants] == [
        (f"sysctl:host:net.bridge.bridge-nf-call-{name}", "0")
    ]
    assert (finding.severity, finding.safety, finding.sure) == (Severity.MEDIUM, Safety.DISRUPTIVE, Sure.POSSIBLE)
    assert any("security" in cost for cost in finding.costs)


def test_following_it_silences_it() -> None:
    one = host(calls(True, True, True))
    finding = found(RULE, one, GUEST, goal="throughput")
    assert len(finding.wants) == 3
    assert silent(RULE, turned(one, finding.wants), GUEST, goal="throughput")


def test_without_the_module_or_the_switches_it_is_right() -> None:
    assert silent(RULE, host(None), GUEST, goal="throughput")
    assert silent(RULE, host(calls(False)), GUEST, goal="throughput")


def test_without_guests_on_a_bridge_it_is_right() -> None:
    assert silent(RULE, host(calls()), goal="throughput")
    assert silent(RULE, host(calls()), a_domain(devices=interface(type="direct", bridge="eth0")), goal="throughput")
    ovs = with_nics(a_nic("br0", "openvswitch"), bridge_netfilter=calls())
    assert silent(RULE, ovs, GUEST, goal="throughput")


@pytest.mark.parametrize(
    "name", ["docker0", "br-0123456789ab", "cni0", "cali1234", "flannel.1", "kube-bridge", "qbr1a2b"]
)
def test_who_relies_on_it_keeps_it(name: str) -> None:
    assert silent(RULE, host(calls(), a_nic(name, "bridge")), GUEST, goal="throughput")


@pytest.mark.parametrize("name", ["dockerish", "br-lan", "mycni0", "virbr0"])
def test_other_names_are_no_sign(name: str) -> None:
    assert found(RULE, host(calls(), a_nic(name, "bridge")), GUEST, goal="throughput")


def test_a_guests_network_filter_relies_on_it() -> None:
    other = a_domain("other", devices=interface(inside="<filterref filter='clean-traffic'/>"))
    assert silent(RULE, host(calls()), GUEST, other, goal="throughput")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host(calls()), GUEST, goal=goal)


def test_one_switch_and_several_are_told_apart() -> None:
    one = found(RULE, host(calls()), GUEST, goal="throughput").saw
    three = found(RULE, host(calls(True, True, True)), GUEST, goal="throughput").saw
    assert one == "net.bridge.bridge-nf-call-iptables is 1 (/proc/sys/net/bridge), and guests are on br0"
    assert three == (
        "net.bridge.bridge-nf-call-iptables, net.bridge.bridge-nf-call-ip6tables, net.bridge.bridge-nf-call-arptables "
        "are 1 (/proc/sys/net/bridge), and guests are on br0"
    )
