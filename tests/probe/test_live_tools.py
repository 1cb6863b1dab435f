"""This machine's CPUs and nodes, against the tools that administrators use."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kvmnb.core.cpuset import CpuSet
from tests.probe.seen_host import SeenHost, look


@pytest.fixture(scope="module")
def here() -> SeenHost:
    return look(Path("/"))


def told(*command: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        command, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, check=False
    )
    if done.returncode:
        pytest.skip(f"{command[0]} does not answer here: {done.stderr.strip()[:200]}")
    return done.stdout


def test_lscpu_tells_the_same_cpus_packages_cores_and_nodes(here: SeenHost) -> None:
    rows = json.loads(told("lscpu", "-J", "--online", "-e=CPU,CORE,SOCKET,NODE"))["cpus"]
    assert CpuSet(int(row["cpu"]) for row in rows) == here.online

    def groups(*words: str) -> list[CpuSet]:
        found: dict[tuple[str, ...], list[int]] = {}
        for row in rows:
            found.setdefault(tuple(str(row.get(word)) for word in words), []).append(int(row["cpu"]))
        return sorted(map(CpuSet, found.values()))

    assert groups("socket") == here.packages
    assert groups("socket", "core") == here.cores
    assert isinstance(here.nodes, tuple)
    assert groups("node") == sorted(node.cpus for node in here.nodes if node.cpus)


def test_lscpu_tells_the_same_caches(here: SeenHost) -> None:
    rows = json.loads(told("lscpu", "-J", "-B", "--caches=NAME,ONE-SIZE,LEVEL"))["caches"]
    mine = {(cache.level, cache.size_bytes) for cpu in here.up for cache in cpu.caches}
    assert mine == {(int(row["level"]), int(row["one-size"])) for row in rows}


def test_numactl_tells_the_same_nodes_memory_and_distances(here: SeenHost) -> None:
    text = told("numactl", "-H")
    assert isinstance(here.nodes, tuple)
    for node in here.nodes:
        cpus = re.search(rf"^node {node.id} cpus:(.*)$", text, re.MULTILINE)
        size = re.search(rf"^node {node.id} size: (\d+) MB$", text, re.MULTILINE)
        row = re.search(rf"^ *{node.id}: +([\d ]+)$", text, re.MULTILINE)
        assert cpus and size and row
        assert CpuSet(map(int, cpus[1].split())) == node.cpus
        assert node.memory_bytes // 2**20 == int(size[1])
        assert tuple(map(int, row[1].split())) == node.distances


def in_sysfs(path: str, reader: Callable[[str], object]) -> object:
    file = Path("/sys/devices/system") / path
    return reader(file.read_text().strip()) if file.exists() else None


def test_the_kernels_own_lists_are_read_as_they_stand(here: SeenHost) -> None:
    assert in_sysfs("cpu/present", CpuSet.parse) == here.system.present
    assert in_sysfs("cpu/possible", CpuSet.parse) == here.system.possible
    assert in_sysfs("cpu/smt/control", str) == here.system.smt_control
