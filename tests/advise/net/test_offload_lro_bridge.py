"""net.offload.lro_bridge: LRO is on where packets are bridged or forwarded."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.ethtool import Ethtool, Feature
from kvmnb.facts.network import Bond, Nic, Vlan
from tests.advise.net.builders import a_bridge, a_nic, with_nics
from tests.builders import a_fact, found, silent

RULE = "net.offload.lro_bridge"
LRO = ["rx-lro"]

WAYS: dict[str, tuple[Nic, ...]] = {
    "a port of br0": (a_bridge("br0", "eth0"), a_nic("eth0", master="br0", on=LRO)),
    "a port of ovs-system": (a_nic("eth0", master="ovs-system", on=LRO), a_nic("ovs-system", "openvswitch")),
    "bond0 is a port of br0": (
        a_bridge("br0", "bond0"),
        a_nic("bond0", "bond", master="br0", bond=a_fact(Bond, mode=None, slaves=("eth0",))),
        a_nic("eth0", master="bond0", on=LRO),
    ),
    "eth0.5 is a port of br0": (
        a_bridge("br0", "eth0.5"),
        a_nic("eth0", on=LRO),
        a_nic("eth0.5", "vlan", master="br0", vlan=a_fact(Vlan, id=5, parent="eth0")),
    ),
    "the macvtap macvtap0": (a_nic("eth0", on=LRO), a_nic("macvtap0", "macvtap", lower=("eth0",))),
    "the macvlan mv0": (a_nic("eth0", upper=("mv0",), on=LRO), a_nic("mv0", "macvlan")),
    "IPv4 is routed from eth0 ": (a_nic("eth0", forwarding=True, on=LRO),),
    "IPv4 is routed from eth0.5 ": (
        a_nic("eth0", on=LRO),
        a_nic("eth0.5", "vlan", lower=("eth0",), forwarding=True),
    ),
}


@pytest.mark.parametrize("why", WAYS)
@pytest.mark.parametrize("goal", ["throughput", "balanced"])
def test_lro_on_such_a_way_is_told(why: str, goal: str) -> None:
    finding = found(RULE, with_nics(*WAYS[why]), goal=goal)
    assert why in finding.saw
    assert (finding.severity, finding.safety, finding.subject) == (Severity.HIGH, Safety.MANUAL, "host/nic/eth0")
    assert finding.by_hand[0] == "ethtool -K eth0 lro off"
    assert "ethtool.feature-lro off" in finding.by_hand[1]


@pytest.mark.parametrize("goal", ["latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, with_nics(*WAYS["a port of br0"]), goal=goal)


def test_lro_that_is_off_or_unknown_is_right() -> None:
    assert silent(RULE, with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", off=LRO)))
    assert silent(RULE, with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0")))


def test_lro_of_an_end_host_is_fine() -> None:
    assert silent(RULE, with_nics(a_nic("eth0", forwarding=False, on=LRO), a_bridge("br0", "eth1")))
    bond = a_nic("bond0", "bond", forwarding=False, bond=a_fact(Bond, mode=None, slaves=("eth0",)))
    assert silent(RULE, with_nics(bond, a_nic("eth0", master="bond0", on=LRO)))


def test_only_real_nics_are_judged() -> None:
    assert silent(RULE, with_nics(a_bridge("br0", "vnet0"), a_nic("vnet0", "tap", master="br0", on=LRO)))


def test_a_driver_that_keeps_it_on_is_told_apart() -> None:
    fixed = a_fact(Ethtool, features=(a_fact(Feature, name="rx-lro", on=True, fixed=True),))
    finding = found(RULE, with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", ethtool=fixed)))
    assert "another NIC" in finding.by_hand[0]
    assert "fixed" in (finding.note or "")
