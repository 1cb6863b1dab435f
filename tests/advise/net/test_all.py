"""What the network's rules keep together: facts that are taken away, findings that are followed, XML of others."""

from __future__ import annotations

import pytest

from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit, rules
from kvmnb.facts.ethtool import Ethtool, Feature
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.network import NicCounters, SoftnetCpu
from tests.advise.net.builders import (
    a_bridge,
    a_nic,
    a_process,
    calls,
    channels,
    functions,
    interface,
    rings,
    table,
    with_nics,
    with_settings,
)
from tests.advise.test_contract import agreeing, well_formed
from tests.advise.test_following import check_following, check_following_all
from tests.advise.unseen import findings_lost
from tests.builders import Guest, a_fact, a_guest, a_host

NET = [rule.id for rule in rules() if rule.area == "net"]
OFF = "name='vhost'><host gso='off' csum='on'/><guest tso4='off'/>"


def a_scene() -> tuple[Host, list[Guest]]:
    """A host and guests with every pattern of the network that a configuration shows."""
    features = (
        a_fact(Feature, name="rx-lro", on=True, fixed=False),
        a_fact(Feature, name="rx-gro", on=False, fixed=False),
    )
    host = with_nics(
        a_nic(
            "eth0",
            master="br0",
            mtu=9000,
            sriov=functions(8),
            counters=a_fact(NicCounters, rx_missed_errors=0, rx_fifo_errors=0),
            ethtool=a_fact(Ethtool, features=features, rings=rings(512, 4096), channels=channels(4, 4)),
        ),
        a_bridge("br0", "eth0", "vnet0", "vnet1", stp=True, delay=1500),
        a_bridge("br1", "eth1", "eth2"),
        a_nic("eth1", master="br1"),
        a_nic("eth2", master="br1"),
        a_nic("vnet0", "tap", master="br0"),
        a_nic("vnet1", "tap", master="br0"),
        host=a_host(),
        bridge_netfilter=calls(True, True, True),
        conntrack=table(95, 100),
        softnet=(a_fact(SoftnetCpu, cpu=0, dropped=0, time_squeeze=0),),
    )
    host = with_settings(
        host,
        {"net__core__rmem_max": "etc/sysctl.d/90.conf"},
        net__core__rmem_max="16777216",
        net__ipv4__tcp_mem="1 2 3",
        net__ipv4__tcp_moderate_rcvbuf="0",
    )
    guests = [
        _guest("old", interface("e1000"), "vnet0"),
        _guest("slow", interface(driver="name='qemu' queues='4' tx_queue_size='512'"), "vnet1", vcpus=2),
        _guest("one", interface(driver=OFF), None, vcpus=4),
        _guest("loop", interface() + interface(mac="52:54:00:00:00:09", bridge="br1"), None),
    ]
    return host, guests


def _guest(name: str, devices: str, target: str | None, vcpus: int = 2) -> Guest:
    linux = (
        "<metadata><libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
        "<libosinfo:os id='http://debian.org/debian/12'/></libosinfo:libosinfo></metadata>"
    )
    live = devices.replace("<model", f"<target dev='{target}'/><model", 1) if target else devices
    one = a_guest(name, devices=devices, live={"devices": live}, vcpus=vcpus)
    texts = [text.replace("  <memory", f"  {linux}\n  <memory", 1) for text in (one.xml, one.live or "")]
    return Guest(texts[0], texts[1])


@pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)
def test_following_each_finding_silences_it(goal: Goal) -> None:
    check_following(*a_scene(), goal)


@pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)
def test_following_all_findings_leaves_none(goal: Goal) -> None:
    check_following_all(*a_scene(), goal)


@pytest.mark.parametrize("goal", [Goal.THROUGHPUT, Goal.BALANCED], ids=lambda goal: goal.value)
def test_a_fact_that_is_taken_away_is_not_checked(goal: Goal) -> None:
    host, guests = a_scene()
    domains = [changed(guest.domain, running_state=a_process(0)) for guest in guests]
    intent = Intent(goal=goal)
    assert findings_lost(host, domains, intent, NET) > 50


def test_the_scene_shows_every_pattern_that_needs_no_window() -> None:
    host, guests = a_scene()
    fired = set()
    for goal in Goal:
        result = audit(host, [guest.domain for guest in guests], Intent(goal=goal), only=NET)
        agreeing(result)
        fired |= {one.id for one in result.findings}
        for finding in result.findings:
            well_formed(finding)
    assert set(NET) - fired == {"net.qos", "net.ring.nic", "net.sriov", "net.sysctl.backlog"}
