"""CPUs and nodes as read from machines that other projects captured, against those projects' own answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.memory import NumaNode
from kvmnb.machine import sources
from kvmnb.probe.survey import probe
from tests.probe.captures import reading, reference, unpack
from tests.probe.seen_host import SeenHost, look, of

_ARCHIVE = re.compile(r"\.(tar\.(gz|bz2|xz)|tgz)$")
# How many captures each folder holds: fewer would mean that this test looks past some.
COUNTS = {"ghw": 5, "hwloc": 15, "libvirt-hostcpu": 11, "libvirt-vircaps": 8, "lscpu": 17, "nri": 3, "pcp": 12}
AGREED = 24
COMPARED = 40

# What is odd about a capture whose reference answers differ among themselves, and the word that tells it.
ODD = {
    "hwloc-16amd64-4n4c-cgroup-distance-merge": "confined to CPUs 0-3",
    "hwloc-16em64t-4s2ca2c-cpusetreorder": "confined to CPUs 2-11,13",
    "hwloc-20s390-2g6s4c": "shows no node",
    "hwloc-2i386-2t-hugepagesizecount": "shows no node",
    "hwloc-64fake-4n2s2ca2c2t": "node0/distance: No such file",
    "hwloc-8em64t-2s2ca2c-buggynuma": "list the same CPUs 0-7",
    "hwloc-8ia64-2s2c2t": "lacks CPU 0 itself",
    "hwloc-fakememinitiators-1np2c+1npp+gi": "has CPUs and no memory of its own",
    "lscpu-arm-A510-A710-A715-X3": "lie in several packages",
    "lscpu-armv7": "shows no node",
    "lscpu-rv64-linux": "shows no node",
    "lscpu-s390-kvm": "shows no node",
    "lscpu-s390-zvm": "shows no node",
    "lscpu-sparc64": "shows no node",
    "nri-server": "has memory and no CPU online",
}
EXCEPTIONS = {
    # Two masks of this capture were edited by hand to contradict the lists beside them, which the kernel prints
    # from the same bits. The lists are sound and are read; nothing on a live machine can differ so.
    "hwloc-40intel64-4n10c+pci-conflicts": "a mask edited by hand, which is not read",
}
VIRHOSTCPU_EXCEPTIONS = {
    "linux-ppc64-subcores1": "libvirt counts the threads that share a subcore with one online as online",
    "linux-ppc64-subcores2": "libvirt counts the threads that share a subcore with one online as online",
    "linux-ppc64-subcores3": "libvirt counts offline threads into cores and threads",
    "linux-x86_64-test1": "CPU 1 is listed as no thread of its own core: its core is a gap",
    "linux-x86_64-test4": "there is no list of threads: cores are gaps",
    "linux-x86_64-test8": "libvirt gives up on the topology and tells one node with 64 cores",
}


class Captures:
    """The captures of all folders, each unpacked once."""

    def __init__(self, host_sysfs: Path, into: Path) -> None:
        self.folder = host_sysfs
        self._into = into
        self._trees: dict[Path, Path] = {}

    def archives(self, folder: str) -> dict[str, Path]:
        """The archives of a folder by their bare names."""
        paths = sorted((self.folder / folder).iterdir())
        found = {_ARCHIVE.sub("", path.name): path for path in paths if _ARCHIVE.search(path.name)}
        assert len(found) == COUNTS[folder], f"{folder} holds {len(found)} captures"
        return found

    def trees(self, folder: str) -> Iterator[tuple[str, Path]]:
        """The captures of a folder by their bare names, unpacked."""
        for name, archive in self.archives(folder).items():
            yield name, self.tree(archive)

    def tree(self, archive: Path) -> Path:
        if archive not in self._trees:
            target = self._into / archive.parent.name / archive.name
            target.mkdir(parents=True)
            self._trees[archive] = unpack(archive, target)
        return self._trees[archive]

    def compared(self) -> Iterator[tuple[str, dict[str, Any], Path]]:
        """Each capture that has a reference answer: its name, the answer and its tree."""
        for capture, answer in expected_of(self.folder).items():
            source, _, name = capture.partition("-")
            known = self.archives(source)
            yield capture, answer, self.tree(known.get(name) or known[capture])


def expected_of(host_sysfs: Path) -> dict[str, dict[str, Any]]:
    """The reference answers of captures that have a tree."""
    texts = {path.stem: json.loads(path.read_text()) for path in sorted((host_sysfs / "expected").glob("*.json"))}
    found = {name: answer for name, answer in texts.items() if not name.startswith(("hwlocx86-", "hwlocxml-"))}
    assert len(found) == COMPARED
    return found


def agree(answer: dict[str, Any]) -> bool:
    agrees = answer["agrees"]
    return agrees["lstopo 2.9.0"] == agrees["plain reading of sysfs"] == "same"


def told(host: SeenHost) -> dict[str, Any]:
    nodes = nodes_of(host)
    return {
        "online": frozenset(host.online),
        "packages": frozenset(map(frozenset, host.packages)),
        "cores": frozenset(map(frozenset, host.cores)),
        "nodes": {node.id: frozenset(node.cpus) for node in nodes if of(node, "cpus")},
        "memory": {node.id: node.memory_bytes for node in nodes if of(node, "memory_bytes")},
        "l3": frozenset(map(frozenset, host.caches(3))),
    }


def nodes_of(host: SeenHost) -> tuple[NumaNode, ...]:
    assert isinstance(host.nodes, tuple)
    return host.nodes


def differences(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """The fields that differ; memory may by one percent, since some answers are rounded to pages or GiB."""
    found = [name for name in theirs if name != "memory" and mine[name] != theirs[name]]
    memory = mine["memory"]
    if memory.keys() != theirs["memory"].keys() or any(
        abs(memory[node] - size) > size / 100 for node, size in theirs["memory"].items()
    ):
        found.append("memory")
    return found


@pytest.fixture(scope="module")
def captures(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Captures:
    return Captures(corpora / "host-sysfs", tmp_path_factory.mktemp("captures"))


@pytest.mark.slow
def test_captures_on_which_all_tools_agree_are_read_alike(captures: Captures) -> None:
    found = {}
    for name, answer, tree in captures.compared():
        if agree(answer):
            found[name] = differences(told(look(tree)), reference(answer))
    assert {name: fields for name, fields in found.items() if fields} == {}
    assert len(found) == AGREED


@pytest.mark.slow
def test_every_other_capture_equals_an_answer_or_a_plain_reading_and_says_what_is_odd(captures: Captures) -> None:
    others = [one for one in captures.compared() if not agree(one[1])]
    assert {name for name, _, _ in others} == ODD.keys() | EXCEPTIONS.keys()
    for name, answer, tree in others:
        host = look(tree)
        theirs = {"reference": reference(answer), "lists": reading(tree, "lists"), "masks": reading(tree, "masks")}
        found = {whose: differences(told(host), one) for whose, one in theirs.items()}
        assert [] in found.values(), (name, found)
        if name in ODD:
            assert any(ODD[name] in gap.reason for gap in (*host.odd, *host.gaps)), (name, host.odd)


@pytest.mark.slow
def test_packages_are_numbered_where_the_kernel_does_not(captures: Captures) -> None:
    unnumbered = {"lscpu-ppc64-POWER7-64cpu": 16, "hwloc-20s390-2g6s4c": 8, "lscpu-sparc64": 6}
    for name, _, tree in captures.compared():
        if name in unnumbered:
            host = look(tree)
            assert len(host.packages) == unnumbered.pop(name)
            for cpu in host.up:
                assert cpu.package_cpus is not None
                assert cpu.package == host.packages.index(cpu.package_cpus)
    assert unnumbered == {}


def test_libvirts_own_capabilities_are_read_alike(captures: Captures) -> None:
    trees = dict(captures.trees("libvirt-vircaps"))
    answers = sorted((captures.folder / "libvirt-vircaps").glob("vircaps-*.xml"))
    assert len(answers) == 9
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for path in answers:
        # vircaps-x86_64-basic.xml and vircaps-aarch64-basic.xml are two answers to linux-basic.
        host = look(trees["linux-" + re.sub(r"^vircaps-[^-]+-", "", path.stem)])
        xml = etree.parse(str(path), parser)
        cpus = {cpu.id: cpu for cpu in host.up}
        seen = 0
        for cell in xml.iterfind("host/topology/cells/cell"):
            node = next(node for node in nodes_of(host) if node.id == int(cell.get("id", "")))
            listed = {int(cpu.get("id", "")): cpu for cpu in cell.iterfind("cpus/cpu")}
            assert frozenset(node.cpus) == listed.keys(), path.name
            # libvirt prints no distances where the kernel tells none, or for one node.
            distances = [int(one.get("value", "")) for one in cell.iterfind("distances/sibling")]
            assert not distances or distances == list(node.distances), path.name
            for number, cpu in listed.items():
                mine = cpus[number]
                assert str(mine.siblings) == cpu.get("siblings"), (path.name, number)
                # libvirt writes 0 where the kernel tells no die or cluster.
                numbers = (mine.package or 0, mine.die or 0, mine.cluster or 0, mine.core)
                words = ("socket_id", "die_id", "cluster_id", "core_id")
                assert numbers == tuple(int(cpu.get(word, "-1")) for word in words), (path.name, number)
                seen += 1
        assert seen == len(host.up) > 0
        for bank in xml.iterfind("host/cache/bank"):
            level, cpuset = int(bank.get("level", "")), CpuSet.parse(bank.get("cpus", ""))
            assert cpuset in host.caches(level), path.name
            size = next(c.size_bytes for cpu in host.up for c in cpu.caches if c.level == level and c.cpus == cpuset)
            assert size == int(bank.get("size", "")) * {"KiB": 2**10, "MiB": 2**20}[bank.get("unit", "")], path.name


def test_libvirts_own_node_counts_are_read_alike(captures: Captures) -> None:
    compared = 0
    for name, tree in captures.trees("libvirt-hostcpu"):
        host = look(tree)
        assert isinstance(host.cpus, tuple)
        text = (captures.folder / "libvirt-hostcpu" / f"{name}.expected").read_text()
        online, present, _, nodes, sockets, cores, threads = map(int, re.findall(r"\d+", text))
        assert len(host.cpus) == present, name
        if name in VIRHOSTCPU_EXCEPTIONS:
            continue
        assert len(host.online) == online, name
        places = [(node, package) for node in nodes_of(host) for package in host.packages if node.cpus & package]
        mine = (
            len({node.id for node, _ in places}),
            max(sum(1 for other, _ in places if other is node) for node, _ in places),
            max(len([core for core in host.cores if core & node.cpus & package]) for node, package in places),
            max(map(len, host.cores)),
        )
        assert mine == (nodes, sockets, cores, threads), name
        compared += 1
    assert compared == COUNTS["libvirt-hostcpu"] - len(VIRHOSTCPU_EXCEPTIONS)


@pytest.mark.slow
def test_no_capture_stops_a_probe(captures: Captures) -> None:
    trees = [tree for folder in COUNTS for _, tree in captures.trees(folder)]
    trees.append(captures.tree(captures.folder / "node_exporter-sys.tar.xz"))
    known = 0
    for tree in trees:
        host, survey = look(tree), probe(sources.tree(tree))
        if isinstance(host.cpus, tuple):
            assert len(survey.host.cpus) == len(host.cpus), tree.name
            known += 1
        else:
            # The captures of single subsystems hold no CPU: that is a gap, and no host of no CPU.
            assert "holds no CPU's folder" in host.cpus.reason
    assert (len(trees), known) == (72, 61)
