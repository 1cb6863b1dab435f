"""The operator's own link is found from the session's route, with all that it is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.advise.finding import Safety
from kvmnb.apply.link import cutting, operators_devices
from kvmnb.machine.files import Files
from kvmnb.plan.plan import Change
from kvmnb.tunable.ethtool import Ethtool
from kvmnb.tunable.sriov import Sriov
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Tunable

# 0.0.0.0/0 by br0, 192.0.2.0/24 by br0, 198.51.100.0/24 by eth2.30, 198.51.100.128/25 by eth3, one rejected by eth4.
ROUTES = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
br0 00000000 010200C0 0003 0 0 100 00000000 0 0 0
br0 000200C0 00000000 0001 0 0 100 00FFFFFF 0 0 0
eth2.30 006433C6 00000000 0001 0 0 0 00FFFFFF 0 0 0
eth3 806433C6 00000000 0001 0 0 0 80FFFFFF 0 0 0
eth4 806433C6 00000000 0201 0 0 0 C0FFFFFF 0 0 0
"""
ZERO = "0" * 32
ROUTES_6 = f"""20010db8{"0" * 24} 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001 eth5
{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200 lo
"""
DEFAULT = {"br0", "bond0", "eth0", "eth1"}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A bridge on a bond of two NICs, a VLAN, a VF with its physical function, and the routes above."""
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text(ROUTES)
    (tmp_path / "proc/net/ipv6_route").write_text(ROUTES_6)
    net = tmp_path / "sys/class/net"
    for folder in ("br0/lower_bond0", "br0/brif/bond0", "bond0/lower_eth0", "bond0/lower_eth1", "eth0", "eth1"):
        (net / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("eth2.30/lower_eth2", "eth2", "eth3/device/physfn/net/eth9", "eth9", "eth5", "tap0"):
        (net / folder).mkdir(parents=True)
    return Files(tmp_path)


@pytest.mark.parametrize(
    ("session", "more"),
    [
        ("", set()),
        ("192.0.2.77 50022 192.0.2.1 22", set()),
        ("198.51.100.9 50022 198.51.100.1 22", {"eth2.30", "eth2"}),
        ("198.51.100.200 50022 198.51.100.129 22", {"eth3", "eth9"}),
        ("::ffff:198.51.100.9 50022 ::ffff:198.51.100.1 22", {"eth2.30", "eth2"}),
        ("2001:db8::7 50022 2001:db8::1 22", {"eth5"}),
        ("$(reboot) 1 2 3", set()),
    ],
)
def test_the_devices_towards_the_client_and_of_the_default_route_are_the_operators(
    files: Files, session: str, more: set[str]
) -> None:
    assert operators_devices(files, {"SSH_CONNECTION": session}) == DEFAULT | more


def test_a_host_without_routes_has_nobody_on_its_link(tmp_path: Path) -> None:
    assert operators_devices(Files(tmp_path), {}) == frozenset()


def a_change(tunable: Tunable) -> Change:
    return Change(tunable=tunable, before="0", after="1", safety=Safety.SAFE, owner=None, why=())


def test_only_changes_of_these_devices_cut_the_operator_off() -> None:
    bridge = a_change(Sysfs("class/net/br0/bridge/stp_state"))
    other = a_change(Sysfs("class/net/br1/bridge/stp_state"))
    ksm = a_change(Sysfs("kernel/mm/ksm/run"))
    mtu, functions = a_change(Ethtool("br0/mtu")), a_change(Sriov("0000:3b:00.0"))
    assert cutting((mtu, functions), frozenset({"br0", "0000:3b:00.0"})) == (mtu, functions)
    assert cutting((bridge, other, ksm, a_change(Sysctl("vm.swappiness"))), frozenset({"br0"})) == (bridge,)
