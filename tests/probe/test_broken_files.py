"""Files that are missing, empty, cut, binary, forbidden or folders: a gap, never a crash, never a wrong value."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from kvmnb import demo
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Cache
from kvmnb.facts.gap import Fact, Gap
from kvmnb.machine import sources
from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.probe.survey import probe
from tests.probe.seen_host import SeenHost, look, of
from tests.probe.test_hosts import HOSTS, NAMES

NOBODY = 65534
SMALLEST = "1-node-2-of-4-cpus-online"
OF_PROBES = ("sys/devices/system/cpu", "sys/devices/system/node", "proc/meminfo", "proc/self", "sys/fs/cgroup")
KINDS = ("missing", "empty", "truncated", "binary", "folder")
# What a broken file is worth: a field that is unset, or that says nothing.
_SILENT = ("a gap", None, "[]", "absent")


def values(fact: object, path: str = "host") -> Iterator[tuple[str, object]]:
    """Every plain value of a fact and of all below it, by its path."""
    if isinstance(fact, Gap):
        yield path, "a gap"
    elif isinstance(fact, Fact):
        for field in fields(fact):  # type: ignore[arg-type]
            gap = fact.gap_of(field.name)
            yield from values(gap or getattr(fact, field.name), f"{path}.{field.name}")
    elif isinstance(fact, tuple) and fact and isinstance(fact[0], Fact):
        for place, one in enumerate(fact):
            yield from values(one, f"{path}[{_name(one, place)}]")
    else:
        yield path, str(fact) if isinstance(fact, CpuSet) else "[]" if fact == () else fact


def _name(fact: Fact, place: int) -> str:
    """A cache is found again by its level and type, whatever else is missing."""
    if isinstance(fact, Cache):
        return f"L{of(fact, 'level')} {of(fact, 'type')}"
    return str(place)


def facts(host: SeenHost) -> dict[str, object]:
    return dict([*values(host.cpus, "cpus"), *values(host.nodes, "nodes"), *values(host.system, "system")])


def spoil(path: Path, kind: str) -> None:
    raw = path.read_bytes()
    path.unlink()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        path.write_bytes(raw[: len(raw) // 2])
    elif kind == "binary":
        path.write_bytes(b"\x00\xff\xfe\x80" * 64 + raw)
    elif kind == "folder":
        path.mkdir()


def mend(path: Path, raw: bytes) -> None:
    if path.is_dir():
        path.rmdir()
    path.write_bytes(raw)


def files_of(tree: Path) -> list[str]:
    return sorted(
        str(path.relative_to(tree))
        for path in tree.rglob("*")
        if path.is_file() and path.name not in ("recording.json",)
    )


def one_of_every_pattern(tree: Path) -> list[str]:
    """One file of every distinct path, numbers folded."""
    found: dict[str, str] = {}
    for path in files_of(tree):
        found.setdefault(re.sub(r"\d+", "#", path), path)
    return list(found.values())


def wrong(sound: dict[str, object], broken: dict[str, object], kind: str) -> dict[str, object]:
    """What a broken file turned into another value. A cut number may be a number, so cut files only must not crash."""
    if kind == "truncated":
        return {}
    silent = (*_SILENT, "") if kind == "missing" else _SILENT
    found = {path: broken.get(path, "absent") for path, value in sound.items() if broken.get(path, "absent") != value}
    return {path: value for path, value in found.items() if value not in silent}


def trial(tree: Path, paths: list[str], step: int = 1) -> int:
    """Break each file in every way, or in every ``step``-th, going on through the ways from file to file."""
    sound = facts(look(tree))
    tried, wrongs = 0, {}
    ways = itertools.cycle(range(len(KINDS) * step))
    for path in paths:
        raw = (tree / path).read_bytes()
        for kind in KINDS:
            if next(ways) % step:
                continue
            spoil(tree / path, kind)
            found = wrong(sound, facts(look(tree)), kind)
            if found:
                wrongs[f"{path} {kind}"] = found
            mend(tree / path, raw)
            tried += 1
    assert wrongs == {}
    assert facts(look(tree)) == sound
    return tried


@pytest.fixture
def smallest(tmp_path: Path) -> Path:
    return shutil.copytree(HOSTS / SMALLEST, tmp_path / "host", ignore=shutil.ignore_patterns("expected.json"))


@pytest.fixture
def demo_cpus(tmp_path: Path) -> Path:
    """The part of the demo host that tells its CPUs and nodes."""
    for part in OF_PROBES:
        source, target = demo.path() / part, tmp_path / "demo" / part
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return tmp_path / "demo"


def test_one_file_of_every_pattern_broken_in_every_way_on_the_smallest_host(smallest: Path) -> None:
    paths = one_of_every_pattern(smallest)
    assert len(paths) > 25
    assert trial(smallest, paths) == len(paths) * len(KINDS)


# Four and five have no divisor in common, so that the ways change places from file to file.
@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_one_file_of_every_pattern_broken_on_the_demo_host(demo_cpus: Path, step: int) -> None:
    paths = one_of_every_pattern(demo_cpus)
    assert len(paths) > 25
    assert trial(demo_cpus, paths, step) == -(-len(paths) * len(KINDS) // step)


# Each of this host's nodes lists all CPUs, so a node that lists none goes unnoticed there.
CONTRADICTS_ITSELF = "8-nodes-8-cpus-broken-table"


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in NAMES if name != CONTRADICTS_ITSELF])
def test_every_file_broken_in_every_way_on_every_host(name: str, tmp_path: Path) -> None:
    tree = shutil.copytree(HOSTS / name, tmp_path / "host", ignore=shutil.ignore_patterns("expected.json"))
    paths = files_of(tree)
    assert trial(tree, paths) == len(paths) * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("path", "fact"),
    [
        ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "host.cpus[0].siblings"),
        ("sys/devices/system/node/node0/meminfo", "host.numa_nodes[0].memory_bytes"),
        ("sys/devices/system/node/node0/distance", "host.numa_nodes[0].distances"),
    ],
)
def test_a_fact_that_rules_rest_on_is_a_gap_that_names_the_file(
    smallest: Path, path: str, fact: str, kind: str
) -> None:
    for other in ("core_cpus_list", "core_cpus", "thread_siblings"):
        (smallest / "sys/devices/system/cpu/cpu0/topology" / other).unlink(missing_ok=True)
    if kind == "truncated":
        (smallest / path).write_text("Node 0 MemTotal: 1\n" if "meminfo" in path else "1x\n")
    else:
        spoil(smallest / path, kind)
    reasons = {gap.fact: gap.reason for gap in look(smallest).gaps}
    assert str(Path(path).parent) in reasons[fact]


@pytest.mark.parametrize("kind", ["empty", "binary", "folder"])
def test_a_broken_list_of_cpus_online_is_never_an_idle_host(smallest: Path, kind: str) -> None:
    spoil(smallest / "sys/devices/system/cpu/online", kind)
    host = look(smallest)
    assert isinstance(host.cpus, tuple)
    assert all(cpu.gap_of("online") for cpu in host.cpus)
    # What each CPU's own folder tells is still seen.
    assert [cpu.core for cpu in host.cpus][:2] == [cpu.core for cpu in look(HOSTS / SMALLEST).up]


@pytest.mark.parametrize(
    "folder", ["sys/devices/system/cpu", "sys/devices/system/node", "sys/devices/system/cpu/cpufreq"]
)
def test_a_file_in_a_folders_place_is_a_gap(smallest: Path, folder: str) -> None:
    shutil.rmtree(smallest / folder, ignore_errors=True)
    (smallest / folder).write_text("0\n")
    assert any(f"/{folder}: Not a directory" in gap.reason for gap in look(smallest).gaps)


def as_nobody(ask: Callable[[], Any]) -> Any:
    """The answer of ``ask``, given in a child process of an unprivileged user."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            answer: Any = {"answer": ask()}
        except BaseException as problem:
            answer = {"problem": repr(problem)}
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        answer = json.load(stream)
    os.waitpid(child, 0)
    assert "answer" in answer, answer
    return answer["answer"]


@pytest.fixture
def open_tree() -> Iterator[Path]:
    """A copy of the smallest host in a place that any user can reach."""
    place = Path(tempfile.mkdtemp(prefix="kvmnb-open-"))
    place.chmod(0o755)
    yield shutil.copytree(HOSTS / SMALLEST, place / "host")
    for path in place.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(place)


@pytest.mark.parametrize(
    "path",
    [
        "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
        "sys/devices/system/cpu/online",
        "sys/devices/system/cpu/cpu0/cache",
        "sys/devices/system/cpu",
        "sys/devices/system/node",
    ],
)
def test_what_an_unprivileged_user_may_not_read_says_that_it_needs_root(open_tree: Path, path: str) -> None:
    files = ReadOnlyFiles(open_tree)
    (open_tree / path).chmod(0)
    reasons = as_nobody(lambda: [gap.reason for gap in look(files).gaps])
    assert any(f"/{path} needs root" in reason for reason in reasons), reasons
    (open_tree / path).chmod(0o755)


def test_the_whole_survey_runs_for_an_unprivileged_user() -> None:
    machine = sources.tree("/")
    probe(machine)
    cpus, reasons = as_nobody(
        lambda: (str(probe(machine).host.online), [(gap.fact, gap.reason) for gap in probe(machine).gaps])
    )
    assert cpus == str(look(Path("/")).online)
    forbidden = [(fact, reason) for fact, reason in reasons if "denied" in reason or "permitted" in reason]
    assert forbidden == []
