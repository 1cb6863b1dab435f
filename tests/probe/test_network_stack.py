"""Softirq backlogs, bridge filters and tracked connections are read, and "not loaded" is never guessed."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from kvmnb import demo
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.machine.files import Files
from kvmnb.probe.network_stack import parse_softnet, probe_bridge_netfilter, probe_conntrack, probe_softnet
from kvmnb.probe.reader import Reader


def reader(root: Path, **texts: str) -> Reader:
    for path, text in texts.items():
        target = root / path.replace("__", "/").replace("DASH", "-")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return Reader(Files(root))


def test_the_demo_host_s_counters_are_read() -> None:
    read = Reader(Files(demo.path()))
    softnet = probe_softnet(read, None)
    assert [row.cpu for row in softnet] == list(range(64))
    assert (softnet[0].processed, softnet[0].dropped, softnet[0].time_squeeze) == (0x03A5E696, 0, 0x1016)
    bridge = probe_bridge_netfilter(read)
    assert bridge is not None and (bridge.call_iptables, bridge.call_arptables) == (True, True)
    conntrack = probe_conntrack(read)
    assert conntrack is not None and (conntrack.max, conntrack.buckets, conntrack.drop) == (262_144, 262_144, None)


def test_recorded_softnet_texts_are_read(corpora: Path) -> None:
    found = {}
    with tarfile.open(corpora / "host-text/insights-core.tar.xz") as packed:
        for member in packed:
            stream = packed.extractfile(member) if "softnet_stat__" in member.name else None
            if stream is not None:
                found[member.name.rsplit("__", 1)[1]] = parse_softnet(stream.read().decode(), CpuSet.parse("0-3"))
    assert {name: len(rows) for name, rows in found.items()} == {
        "SOFTNET_STAT.txt": 4,
        "SOFTNET_STATS_DOC.txt": 5,
        "SOFTNET_STAT_3.txt": 5,
        "SOFTNET_STAT_4.txt": 1,
        "SOFTNET_STAT_5.txt": 1,
    }
    old = found["SOFTNET_STAT.txt"]
    assert [row.cpu for row in old] == [0, 1, 2, 3]
    assert [(row.dropped, row.time_squeeze) for row in old] == [(18, 1), (255, 2), (0, 3), (1, 4)]
    assert [row.cpu for row in found["SOFTNET_STATS_DOC.txt"]] == [0, 1, 2, 3, 4]
    # Nine columns and one line where four CPUs are online: whose line it is cannot be known.
    (short,) = found["SOFTNET_STAT_4.txt"]
    assert (short.cpu, short.received_rps, short.flow_limit, short.processed) == (None, None, None, 0x6DCAD223)


@pytest.mark.parametrize("text", ["", "no", "1 2", "0 0 0 0\n0 0", "00000001 0000000g 0"])
def test_a_broken_softnet_file_is_a_gap(tmp_path: Path, text: str) -> None:
    found: object = probe_softnet(reader(tmp_path, proc__net__softnet_stat=text), None)
    assert isinstance(found, Gap)


def test_a_module_that_is_not_listed_is_not_loaded(tmp_path: Path) -> None:
    read = reader(tmp_path, proc__modules="bridge 311296 1 br_nonsense, Live 0x0\n")
    assert probe_bridge_netfilter(read) is None
    assert probe_conntrack(read) is None


def test_without_the_module_list_no_filter_is_denied(tmp_path: Path) -> None:
    read = reader(tmp_path)
    for found in (probe_bridge_netfilter(read), probe_conntrack(read)):
        assert isinstance(found, Gap) and "proc/modules" in found.reason


def test_a_loaded_module_whose_settings_are_not_there_is_a_gap(tmp_path: Path) -> None:
    read = reader(tmp_path, proc__modules="br_netfilter 32768 0 - Live 0x0\nnf_conntrack 1 1 - Live 0x0\n")
    for found in (probe_bridge_netfilter(read), probe_conntrack(read)):
        assert isinstance(found, Gap) and "is loaded" in found.reason


def test_settings_of_a_built_in_filter_count_without_a_module(tmp_path: Path) -> None:
    read = reader(tmp_path, proc__sys__net__bridge__bridgeDASHnfDASHcallDASHiptables="0\n", proc__modules="")
    found = probe_bridge_netfilter(read)
    assert found is not None and found.call_iptables is False and found.call_ip6tables is None


def test_a_setting_that_cannot_be_read_is_no_off(tmp_path: Path) -> None:
    found = probe_bridge_netfilter(reader(tmp_path, proc__sys__net__bridge__bridgeDASHnfDASHcallDASHiptables="\n"))
    assert found is not None
    with pytest.raises(NotSeen, match="iptables"):
        assert found.call_iptables


def test_lost_connections_are_summed_over_the_cpus(tmp_path: Path) -> None:
    head = "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop\n"
    rows = "".join(f"00000005 {'00000000 ' * 9}0000000{cpu} 0000001{cpu}\n" for cpu in (1, 2))
    texts = {f"proc__sys__net__netfilter__nf_conntrack_{name}": "5\n" for name in ("count", "max", "buckets")}
    conntrack = probe_conntrack(reader(tmp_path, proc__net__stat__nf_conntrack=head + rows, **texts))
    assert conntrack is not None and (conntrack.drop, conntrack.early_drop) == (3, 0x11 + 0x12)
    conntrack = probe_conntrack(reader(tmp_path, proc__net__stat__nf_conntrack=head + rows[:-10], **texts))
    assert conntrack is not None and conntrack.count == 5
    for name in ("drop", "early_drop"):
        with pytest.raises(NotSeen, match="cut off"):
            getattr(conntrack, name)
