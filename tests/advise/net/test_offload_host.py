"""net.offload.host: a NIC that carries guests has its offloads off."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.ethtool import Ethtool, Feature
from kvmnb.facts.network import Bond, Vlan
from tests.advise.net.builders import a_bridge, a_nic, interface, with_nics
from tests.builders import a_domain, a_fact, found, judged, silent

RULE = "net.offload.host"
GUEST = a_domain(devices=interface())
WORDS = {
    "rx-gro": "gro",
    "tx-generic-segmentation": "gso",
    "tx-tcp-segmentation": "tso",
    "rx-checksum": "rx",
    "tx-checksum-ip-generic": "tx",
}


@pytest.mark.parametrize("feature", WORDS)
def test_an_offload_that_is_off_is_told(feature: str) -> None:
    host = with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", off=[feature]))
    finding = found(RULE, host, GUEST, goal="throughput")
    assert finding.by_hand[0] == f"ethtool -K eth0 {WORDS[feature]} on"
    assert f"ethtool.feature-{WORDS[feature]} on" in finding.by_hand[1]
    assert (finding.severity, finding.safety, finding.subject) == (Severity.MEDIUM, Safety.MANUAL, "host/nic/eth0")


def test_offloads_that_are_on_or_unknown_are_right() -> None:
    host = with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", on=list(WORDS)))
    assert silent(RULE, host, GUEST, goal="throughput")
    assert silent(RULE, with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0")), GUEST, goal="throughput")


def test_what_cannot_be_changed_is_left() -> None:
    fixed = a_fact(Ethtool, features=(a_fact(Feature, name="rx-gro", on=False, fixed=True),))
    host = with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", ethtool=fixed))
    assert silent(RULE, host, GUEST, goal="throughput")


@pytest.mark.parametrize("goal", ["latency", "balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    host = with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", off=["rx-gro"]))
    assert silent(RULE, host, GUEST, goal=goal)


def test_only_nics_that_carry_guests_are_judged() -> None:
    off = ["rx-gro"]
    host = with_nics(
        a_bridge("br0", "eth0", "vnet0"),
        a_bridge("br1", "eth1"),
        a_nic("eth0", master="br0"),
        a_nic("eth1", master="br1", off=off),
        a_nic("eth2", off=off),
        a_nic("vnet0", "tap", master="br0", off=off),
    )
    assert silent(RULE, host, GUEST, goal="throughput")


def test_nics_below_a_bond_and_a_vlan_carry_guests() -> None:
    host = with_nics(
        a_bridge("br0", "bond0.5"),
        a_nic("bond0", "bond", bond=a_fact(Bond, mode=None, slaves=("eth0",))),
        a_nic("bond0.5", "vlan", master="br0", vlan=a_fact(Vlan, id=5, parent="bond0")),
        a_nic("eth0", master="bond0", off=["rx-gro"]),
    )
    assert found(RULE, host, GUEST, goal="throughput").subject == "host/nic/eth0"


def test_the_nic_below_a_macvtap_carries_its_guest() -> None:
    guest = a_domain(devices=interface(type="direct", bridge="eth0"))
    assert found(RULE, with_nics(a_nic("eth0", off=["rx-gro"])), guest, goal="throughput")


def test_the_bridge_is_found_by_the_running_guests_tap() -> None:
    guest = a_domain(devices=interface(type="network"), live={"devices": interface(type="network", target="vnet0")})
    nics = [a_nic("eth0", master="br9", off=["rx-gro"]), a_nic("vnet0", "tap", master="br9")]
    assert found(RULE, with_nics(a_bridge("br9", "eth0", "vnet0"), *nics), guest, goal="throughput")


def test_ports_of_open_vswitch_carry_guests() -> None:
    guest = a_domain(devices=interface(target="vnet0", bridge="ovsbr0"))
    host = with_nics(
        a_nic("eth0", master="ovs-system", off=["rx-gro"]),
        a_nic("ovs-system", "openvswitch"),
        a_nic("vnet0", "tap", master="ovs-system"),
    )
    assert found(RULE, host, guest, goal="throughput").subject == "host/nic/eth0"


def test_a_nic_without_answers_is_not_checked() -> None:
    from kvmnb.facts.gap import Gap

    host = with_nics(a_bridge("br0", "eth0"), a_nic("eth0", master="br0", ethtool=Gap("ethtool", "no answers")))
    assert judged(RULE, host, GUEST, goal="throughput").not_checked
