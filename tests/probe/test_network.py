"""NICs are read as the kernel shows them: what each is, what it stands on, what it can do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kvmnb import demo
from kvmnb.core import codec
from kvmnb.core.errors import SourceError
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.network import Nic
from kvmnb.machine.files import Files
from kvmnb.probe.network import probe_nics
from kvmnb.probe.network_ethtool import RecordedAnswers
from kvmnb.probe.reader import Reader
from tests.archives import extract

NET = "sys/class/net"


def write(root: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def add(root: Path, name: str, **texts: str) -> None:
    """A NIC with what every NIC has, and more; ``__`` in a word divides folders."""
    number = len(os.listdir(root / NET)) + 1 if (root / NET).is_dir() else 1
    base = {
        "flags": "0x1003",
        "ifindex": str(number),
        "iflink": str(number),
        "mtu": "1500",
        "operstate": "up",
        "carrier": "1",
        "tx_queue_len": "1000",
        "uevent": f"INTERFACE={name}\nIFINDEX={number}",
        **{f"statistics/{word}_{what}": "0" for word in ("rx", "tx") for what in ("errors", "dropped")},
        "statistics/rx_missed_errors": "0",
        "statistics/rx_fifo_errors": "0",
        **{path.replace("__", "/"): text for path, text in texts.items()},
    }
    write(root, {f"{NET}/{name}/{path}": f"{text}\n" for path, text in base.items()})


def probe(root: Path, answers: Mapping[str, Any] | None = None) -> dict[str, Nic]:
    read = Reader(Files(root))
    nics = probe_nics(read, RecordedAnswers(read) if answers is None else lambda names: answers)
    return {nic.name: nic for nic in nics}


def driver(word: str, bus: str = "") -> dict[str, Any]:
    part = {"driver": word, "version": "", "firmware": "", "bus": bus}
    return {"driver": part, "rings": None, "channels": None, "coalesce": None, "features": {}}


def test_the_demo_host_s_nics_are_read() -> None:
    nics = probe(demo.path())
    assert len(nics) == 14
    kinds = {
        kind: sorted(nic.name for nic in nics.values() if nic.kind == kind) for kind in {n.kind for n in nics.values()}
    }
    assert kinds["bridge"] == ["br0", "br1"]
    assert kinds["physical"] == ["eno1", "ens1f0np0", "ens1f1np1"]
    assert len(kinds["tap"]) == 8 and kinds["loopback"] == ["lo"]
    uplink = nics["ens1f0np0"]
    assert (uplink.driver, uplink.address, uplink.numa_node) == ("mlx5_core", "0000:17:00.0", 0)
    assert (uplink.speed_mbit, uplink.mtu, uplink.master, uplink.up) == (25_000, 9000, "br0", True)
    assert uplink.sriov is not None and (uplink.sriov.total_vfs, uplink.sriov.num_vfs) == (8, 0)
    assert uplink.counters.rx_missed_errors == 88_204
    bridge = nics["br0"].bridge
    assert bridge is not None and bridge.stp and bridge.forward_delay_cs == 1500
    assert "ens1f0np0" in bridge.ports and "vnet0" in bridge.ports
    assert nics["vnet1"].rx_queues == nics["vnet1"].tx_queues == 4
    tap = nics["vnet1"].tap
    assert tap is not None and tap.multi_queue and tap.vnet_hdr and not tap.persistent
    assert nics["vnet1"].speed_mbit is None
    assert uplink.ethtool is not None
    assert uplink.ethtool.rings is not None
    assert (uplink.ethtool.rings.rx, uplink.ethtool.rings.rx_max, len(uplink.irqs)) == (512, 8192, 17)


def test_a_bond_tells_its_mode_and_members(tmp_path: Path) -> None:
    add(tmp_path, "bond0", bonding__mode="802.3ad 4", bonding__slaves="eth0 eth1", bonding__active_slave="",
        bonding__xmit_hash_policy="layer3+4 1")  # fmt: skip
    add(tmp_path, "eth0", master="../bond0", device__uevent="DRIVER=ixgbe", device__irq="16")
    write(tmp_path, {f"{NET}/bonding_masters": "bond0\n"})
    nics = probe(tmp_path)
    assert set(nics) == {"bond0", "eth0"}
    bond = nics["bond0"].bond
    assert nics["bond0"].kind == "bond" and bond is not None
    assert (bond.mode, bond.active_slave, bond.xmit_hash_policy) == ("802.3ad", None, "layer3+4")
    assert bond.slaves == ("eth0", "eth1")
    assert nics["eth0"].master == "bond0" and nics["eth0"].irqs == (16,)


def test_a_vlan_tells_its_number_and_the_nic_below(tmp_path: Path) -> None:
    add(tmp_path, "eth0")
    add(tmp_path, "eth0.7", uevent="DEVTYPE=vlan\nINTERFACE=eth0.7", iflink="1", lower_eth0="../eth0")
    vlans = "VLAN Dev name    | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\neth0.7         | 7  | eth0\n"
    write(tmp_path, {"proc/net/vlan/config": vlans})
    nic = probe(tmp_path)["eth0.7"]
    assert nic.kind == "vlan" and nic.lower == ("eth0",)
    assert nic.vlan is not None and (nic.vlan.id, nic.vlan.parent) == (7, "eth0")


def test_a_vlan_whose_number_is_not_told_is_a_gap(tmp_path: Path) -> None:
    add(tmp_path, "eth0.7", uevent="DEVTYPE=vlan", lower_eth0="../eth0")
    nic = probe(tmp_path)["eth0.7"]
    with pytest.raises(NotSeen, match="proc/net/vlan/config"):
        assert nic.vlan


@pytest.mark.parametrize(
    ("texts", "word", "kind"),
    [
        ({"flags": "0x49"}, "", "loopback"),
        ({"uevent": "DEVTYPE=macvlan", "iflink": "9", "lower_eth0": "../eth0"}, "", "macvlan"),
        ({"macvtap__tap5__dev": "240:1", "iflink": "9", "lower_eth0": "../eth0"}, "", "macvtap"),
        ({"uevent": "DEVTYPE=vxlan"}, "vxlan", "vxlan"),
        ({"tun_flags": "0x5102"}, "tun", "tap"),
        ({"tun_flags": "0x1001"}, "tun", "tun"),
        ({"iflink": "77"}, "veth", "veth"),
        ({"iflink": "77"}, "", "veth"),
        ({}, "openvswitch", "openvswitch"),
        ({}, "dummy", "dummy"),
        ({}, "", "virtual"),
        ({"iflink": "0"}, "", "virtual"),
        ({}, "802.1Q VLAN Support", "virtual"),
        ({"device__uevent": "DRIVER=ice", "phys_port_name": "pf0vf3"}, "ice", "representor"),
        ({"device__uevent": "DRIVER=ice", "phys_port_name": "p0"}, "ice", "physical"),
        ({"uevent": "DEVTYPE=wlan", "device__uevent": "DRIVER=iwlwifi"}, "iwlwifi", "physical"),
    ],
)
def test_a_nic_s_kind_is_told_by_the_kernel_s_marks(
    tmp_path: Path, texts: dict[str, str], word: str, kind: str
) -> None:
    add(tmp_path, "nic0", **texts)
    assert probe(tmp_path, {"nic0": driver(word)} if word else {})["nic0"].kind == kind


def test_a_port_of_open_vswitch_names_its_switch(tmp_path: Path) -> None:
    add(tmp_path, "ovs-system")
    add(tmp_path, "vnet0", tun_flags="0x1002", master="../ovs-system")
    nics = probe(tmp_path)
    assert nics["ovs-system"].kind == "openvswitch" and nics["vnet0"].master == "ovs-system"


def test_virtual_functions_are_told_with_who_has_them(tmp_path: Path) -> None:
    add(tmp_path, "eth0", device__uevent="DRIVER=ice\nPCI_SLOT_NAME=0000:17:00.0", device__numa_node="1",
        device__sriov_totalvfs="64", device__sriov_numvfs="3", device__virtfn0="../0000:17:01.0",
        device__virtfn1="../0000:17:01.1", device__virtfn10="../0000:17:02.2", device__driver="../../ice",
        device__msi_irqs__40="msix", device__msi_irqs__9="msix")  # fmt: skip
    add(tmp_path, "eth0v1", device__uevent="PCI_SLOT_NAME=0000:17:01.1", device__physfn="../0000:17:00.0")
    pci = "sys/bus/pci/devices"
    write(
        tmp_path,
        {
            f"{pci}/0000:17:01.0/driver": "../../../../bus/pci/drivers/vfio-pci",
            f"{pci}/0000:17:01.1/driver": "../../../../bus/pci/drivers/iavf",
            f"{pci}/0000:17:01.1/net/eth0v1/mtu": "1500",
        },
    )
    nics = probe(tmp_path)
    sriov = nics["eth0"].sriov
    assert sriov is not None and (sriov.total_vfs, sriov.num_vfs) == (64, 3)
    assert [(vf.number, vf.address, vf.driver, vf.nics) for vf in sriov.vfs] == [
        (0, "0000:17:01.0", "vfio-pci", ()),
        (1, "0000:17:01.1", "iavf", ("eth0v1",)),
        (10, "0000:17:02.2", None, ()),
    ]
    assert nics["eth0"].irqs == (9, 40)
    assert (nics["eth0"].driver, nics["eth0"].numa_node, nics["eth0"].address) == ("ice", 1, "0000:17:00.0")
    assert nics["eth0v1"].physical_function == "0000:17:00.0" and nics["eth0v1"].sriov is None


def test_a_virtio_nic_s_interrupts_are_those_of_the_pci_device_above(tmp_path: Path) -> None:
    add(tmp_path, "eth0", device__uevent="DRIVER=virtio_net\nMODALIAS=virtio:d1v1AF4", device__driver="virtio_net")
    above = "sys/bus/pci/devices/0000:00:03.0"
    write(tmp_path, {f"{above}/numa_node": "0\n", f"{above}/msi_irqs/37": "msix", f"{above}/msi_irqs/38": "msix"})
    nic = probe(tmp_path, {"eth0": driver("virtio_net", "0000:00:03.0")})["eth0"]
    assert (nic.address, nic.numa_node, nic.irqs) == ("0000:00:03.0", 0, (37, 38))


def test_a_driver_s_word_never_becomes_a_path(tmp_path: Path) -> None:
    add(tmp_path, "eth0", device__uevent="PCI_SLOT_NAME=../../../../etc")
    nic = probe(tmp_path, {"eth0": driver("x", "../../..")})["eth0"]
    assert nic.address is None


def test_queues_tell_where_packets_are_spread(tmp_path: Path) -> None:
    masks = {f"queues/rx-{n}/rps_cpus": f"00000000,{1 << n:08x}" for n in range(12)}
    masks.update({f"queues/tx-{n}/xps_cpus": f"{3 << 2 * n:08x}" for n in range(3)})
    add(tmp_path, "eth0", **masks)
    nic = probe(tmp_path)["eth0"]
    assert nic.rps_cpus is not None and [str(cpus) for cpus in nic.rps_cpus] == [str(n) for n in range(12)]
    assert nic.xps_cpus is not None and [str(cpus) for cpus in nic.xps_cpus] == ["0-1", "2-3", "4-5"]
    assert (nic.rx_queues, nic.tx_queues) == (12, 3)
    (tmp_path / f"{NET}/eth0/queues/rx-3/rps_cpus").write_text("many")
    nic = probe(tmp_path)["eth0"]
    with pytest.raises(NotSeen, match="rx-3"):
        assert nic.rx_queues
    assert nic.tx_queues == 3


@pytest.mark.parametrize("speed", ["-1", "65535", "4294967295"])
def test_an_unknown_speed_is_none(tmp_path: Path, speed: str) -> None:
    add(tmp_path, "eth0", speed=speed, duplex="unknown", carrier="0")
    nic = probe(tmp_path)["eth0"]
    assert (nic.speed_mbit, nic.duplex, nic.carrier) == (None, None, False)


def test_answers_that_cannot_be_had_are_a_gap_of_each_nic(tmp_path: Path) -> None:
    add(tmp_path, "eth0")

    def refuse(names: list[str]) -> Mapping[str, Any]:
        raise SourceError("the host does not answer")

    (nic,) = probe_nics(Reader(Files(tmp_path)), refuse)
    assert [gap.fact for gap in nic.gaps()] == ["host.nics[eth0].ethtool"]
    with pytest.raises(NotSeen, match="does not answer"):
        assert nic.ethtool


def test_a_host_without_the_folder_has_a_gap_for_its_nics(tmp_path: Path) -> None:
    found: object = probe_nics(Reader(Files(tmp_path)), lambda names: {})
    assert isinstance(found, Gap) and found.fact == "host.nics"


def sample(root: Path) -> list[Path]:
    """One NIC of each kind with all its files, and the files."""
    add(root, "eth0", speed="1000", duplex="full", device__uevent="PCI_SLOT_NAME=0000:17:00.0", device__numa_node="1",
        device__driver="../../ice", device__msi_irqs__40="msix", device__sriov_totalvfs="2", device__sriov_numvfs="1",
        device__virtfn0="../0000:17:01.0", device__physfn="../0000:16:00.0", phys_port_name="p0", master="../br0",
        upper_br0="../br0", **{"queues/rx-0/rps_cpus": "1", "queues/tx-0/xps_cpus": "1"})  # fmt: skip
    add(root, "br0", bridge__stp_state="1", bridge__forward_delay="1500", bridge__ageing_time="30000",
        bridge__vlan_filtering="0", bridge__multicast_snooping="1", brif__eth0="../../eth0/brport")  # fmt: skip
    add(
        root,
        "bond0",
        bonding__mode="802.3ad 4",
        bonding__slaves="",
        bonding__active_slave="",
        bonding__xmit_hash_policy="",
    )
    add(root, "eth0.7", uevent="DEVTYPE=vlan", lower_eth0="../eth0")
    add(root, "vnet0", tun_flags="0x5102")
    write(
        root,
        {
            "proc/net/vlan/config": "eth0.7 | 7 | eth0\n",
            "proc/sys/net/ipv4/conf/eth0/forwarding": "0\n",
            "sys/bus/pci/devices/0000:17:01.0/driver": "../vfio-pci",
            "ethtool/eth0.json": json.dumps(driver("ice", "0000:17:00.0")),
        },
    )
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("harm", ["missing", "empty", "truncated", "binary", "folder"])
def test_no_broken_file_is_a_crash_and_what_it_held_is_not_made_up(tmp_path: Path, harm: str) -> None:
    harmed = 0
    files = sample(tmp_path)
    whole = codec.to_builtins(tuple(probe(tmp_path).values()))
    needed = ("flags", "ifindex", "mtu", "operstate", "stp_state", "forward_delay", "tun_flags", "config",
              "sriov_totalvfs", "rx_missed_errors")  # fmt: skip
    for path in files:
        held = path.read_bytes()
        path.unlink()
        if harm == "folder":
            path.mkdir()
        elif harm != "missing":
            path.write_bytes({"empty": b"", "truncated": held[: len(held) // 2], "binary": b"\0\xff\x80" + held}[harm])
        nics = tuple(probe(tmp_path).values())
        codec.to_json(nics)
        found = codec.to_builtins(nics)
        if path.name in needed and harm not in ("truncated", "missing"):
            fresh = [gap for nic in nics for gap in nic.gaps() if str(path.relative_to(tmp_path)) in gap.reason]
            assert fresh, path
        if harm == "missing":
            assert found != whole or path.name in (
                "rx_packets",
                "iflink",
                "uevent",
                "tx_errors",
                "active_slave",
                "xmit_hash_policy",
                "rps_cpus",
            ), path
        harmed += 1
        if harm == "folder":
            path.rmdir()
        path.write_bytes(held)
    assert harmed == len(files) > 70
    assert codec.to_builtins(tuple(probe(tmp_path).values())) == whole


def test_a_folder_that_is_a_file_is_a_gap_for_all_of_the_nic(tmp_path: Path) -> None:
    add(tmp_path, "eth0")
    write(tmp_path, {f"{NET}/eth1": "../../devices/virtual/net/eth1"})
    nic = probe(tmp_path)["eth1"]
    assert nic.name == "eth1"
    with pytest.raises(NotSeen):
        assert nic.kind
    codec.to_json(nic)


def test_captures_of_other_projects_are_read(corpora: Path, tmp_path: Path) -> None:
    sysfs = corpora / "host-sysfs"
    wanted = re.compile(r"(^|/)sys/(class/net(/|$)|devices/.*/net(/|$))")
    found: dict[str, dict[str, Nic]] = {}
    for name in (
        "node_exporter-sys.tar.xz",
        "hwloc/32intel64-2p8co2t+8ve.tar.bz2",
        "hwloc/2pa-pcidomain32bits.tar.bz2",
    ):
        into = tmp_path / Path(name).name
        with tarfile.open(sysfs / name) as packed:
            members = [member for member in packed if wanted.search(member.name)]
            extract(packed, Path(into), members)
        root = next(path.parent for path in sorted(into.glob("**/sys")) if path.is_dir())
        found[Path(name).name.split("-")[0]] = probe(root)
    nics = found["node_exporter"]
    assert set(nics) == {"bond0", "dmz", "int", "eth0"}
    assert [nics[name].bond.slaves for name in ("bond0", "dmz", "int")] == [(), ("eth0", "eth4"), ("eth5", "eth1")]  # type: ignore[union-attr]
    assert (nics["eth0"].speed_mbit, nics["dmz"].duplex, nics["bond0"].speed_mbit) == (1000, "full", None)
    assert set(found["32intel64"]) == {"enp96s0f0", "enp96s0f1"} and set(found["2pa"]) == {"ens3", "lo"}


LINKS = """
set -e
mount -t sysfs none /sys
ip link add ve0 numrxqueues 4 numtxqueues 4 type veth peer name ve1
ip link add br0 type bridge forward_delay 700 stp_state 1
ip link set ve1 master br0 promisc on
ip tuntap add tap0 mode tap multi_queue vnet_hdr
ip tuntap add tun0 mode tun
ip link add vx0 mtu 1400 txqueuelen 77 type vxlan id 5 dstport 4789
ip link add if0 type ifb
ip link set ve0 up
ip link set ve1 up
ip link set br0 up
echo 2 > /sys/class/net/ve0/queues/rx-1/rps_cpus || true
"""
COMPARE = """
import json, subprocess, sys
from pathlib import Path
subprocess.run(["sh", "-c", sys.argv[1]], check=True)
sys.path.insert(0, sys.argv[2])
from kvmnb.core import codec
from kvmnb.machine.ethtool import ethtool_answers
from kvmnb.machine.files import Files
from kvmnb.probe.network import probe_nics
from kvmnb.probe.reader import Reader
nics = probe_nics(Reader(Files(Path("/"))), ethtool_answers)
said = subprocess.run(["ip", "-j", "-d", "link"], capture_output=True, text=True, check=True).stdout
gaps = [str(gap) for nic in nics for gap in nic.gaps()]
print(json.dumps({"facts": codec.to_builtins(nics), "gaps": gaps, "ip": json.loads(said)}))
"""


def compared(setup: str, *prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if not shutil.which("ip"):
        pytest.skip("the ip program is not installed")
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [*prefix, sys.executable, "-c", COMPARE, setup, root], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert not [gap for gap in answer["gaps"] if "tells no interrupt" not in gap and "needs root" not in gap]
    return {nic["name"]: nic for nic in answer["facts"]}, {link["ifname"]: link for link in answer["ip"]}


def hold(nics: dict[str, Any], links: dict[str, Any]) -> None:
    assert set(nics) == set(links)
    for name, link in links.items():
        nic = nics[name]
        assert (nic["ifindex"], nic["mtu"], nic["operstate"]) == (
            link["ifindex"],
            link["mtu"],
            link["operstate"].lower(),
        )
        assert nic["up"] == ("UP" in link["flags"]), name
        assert nic["promiscuous"] == ("PROMISC" in link["flags"]), name
        assert nic["tx_queue_len"] == link.get("txqlen", 0), name
        assert nic["master"] == link.get("master"), name
        assert nic["rps_cpus"] is None or len(nic["rps_cpus"]) <= link["num_rx_queues"], name
        assert nic["xps_cpus"] is None or len(nic["xps_cpus"]) <= link["num_tx_queues"], name
        kind = link.get("linkinfo", {}).get("info_kind")
        if kind == "tun":
            assert nic["kind"] == link["linkinfo"]["info_data"]["type"], name
        elif kind:
            assert nic["kind"] == kind, name
        elif link["link_type"] == "loopback":
            assert nic["kind"] == "loopback", name


def test_the_nics_here_are_those_of_ip() -> None:
    hold(*compared("true"))


def test_nics_of_many_kinds_are_those_of_ip() -> None:
    if not shutil.which("unshare") or os.geteuid() != 0:
        pytest.skip("making a network namespace needs root and unshare")
    if subprocess.run(["unshare", "--net", "--mount", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    nics, links = compared(LINKS, "unshare", "--net", "--mount")
    hold(nics, links)
    assert set(nics) >= {"lo", "ve0", "ve1", "br0", "tap0", "tun0", "vx0", "if0"}
    bridge, said = nics["br0"]["bridge"], links["br0"]["linkinfo"]["info_data"]
    assert bridge["forward_delay_cs"] == said["forward_delay"] == 700
    assert (bridge["stp"], bridge["ageing_time_cs"]) == (bool(said["stp_state"]), said["ageing_time"])
    if bridge["vlan_filtering"] is not None:
        assert bridge["vlan_filtering"] == bool(said["vlan_filtering"])
    assert bridge["ports"] == ["ve1"]
    assert nics["tap0"]["tap"] == {"mode": "tap", "multi_queue": True, "vnet_hdr": True, "persistent": True}
    assert nics["ve0"]["kind"] == "veth" and nics["vx0"]["tx_queue_len"] == 77
    assert nics["ve0"]["rps_cpus"] in (["", "1", "", ""], [""])
