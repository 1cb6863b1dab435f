"""Random plans on scratch copies of the shipped hosts, with domains that others wrote: undo gives back every byte."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvmnb import demo
from kvmnb.advise.finding import Safety
from kvmnb.apply.run import apply_plan, undo_plan, verify_changes
from kvmnb.core.errors import ApplyFailed, KvmnbError
from kvmnb.core.xml import Document
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.judge import schema_problem
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import scratch
from kvmnb.plan.build import build
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysctl_allowed import ALLOWED
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import State, Want
from tests.apply.domain_plans import plans
from tests.core.xml.corpora import domain_files, needs_corpora
from tests.findings import a_finding

pytestmark = needs_corpora

HOSTS = Path(__file__).parent.parent / "hosts"
HOST_UUID = "0e4a6f3c-5d2b-4a1e-9c8d-7b6a59483726"


def a_copy(source: Path, into: Path, chance: random.Random, domains: int) -> Machine:
    """A scratch copy of a host, with so many valid domains of the corpora as its own."""
    machine = scratch(source, into)
    known: set[str] = set()
    for file in chance.sample(domain_files(), len(domain_files())):
        uuid = re.search(r"<uuid>([0-9a-f-]{36})</uuid>", file.text)
        name = re.search(r"<name>([\w.-]+)</name>", file.text)
        if uuid is None or name is None or {uuid[1], name[1]} & known or "<?xml" in file.text:
            continue
        if schema_problem(file.text) is None and file.encoding.name == "utf-8":
            known |= {uuid[1], name[1]}
            folder = into / "libvirt/domains" / uuid[1]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "inactive.xml").write_bytes(file.raw)
            domains -= 1
        if not domains:
            break
    return machine


def host_wants(machine: Machine) -> list[tuple[Sysfs | Sysctl, tuple[str, ...]]]:
    """What of the host's files may be written, each with values to try."""
    root = Path(machine.origin)
    found: list[tuple[Sysfs | Sysctl, tuple[str, ...]]] = []
    for key in ALLOWED:
        if (root / "proc/sys" / key.replace(".", "/")).is_file() and not key.endswith(("_rmem", "_wmem")):
            found.append((Sysctl(key), ("0", "1")))
    for path in sorted(root.glob("sys/**/*")):
        name = str(path.relative_to(root / "sys"))
        try:
            tunable = Sysfs(name)
        except KvmnbError:
            continue
        if "/cpufreq/" not in name or name.endswith("governor"):
            found.append((tunable, _values(path)))
    return found


def _values(path: Path) -> tuple[str, ...]:
    beside = path.with_name("scaling_available_governors")
    if beside.is_file():
        return tuple(beside.read_text().split())
    text = path.read_text()
    return tuple(re.findall(r"[\w+-]+", text)) if "[" in text else ("0", "1", "2", "4")


def some_wants(
    machine: Machine, hosts: list[tuple[Sysfs | Sysctl, tuple[str, ...]]], chance: random.Random
) -> list[Want]:
    cpu = itertools.count()
    wants: dict[str, Want] = {}
    for tunable, values in chance.sample(hosts, min(len(hosts), chance.randrange(6))):
        wants[str(tunable)] = Want(tunable, chance.choice(values))
    domains = machine.libvirt.domains()
    for record in chance.sample(domains, min(len(domains), chance.randrange(1, 4))):
        tried = plans(Document.parse(machine.libvirt.xml(record.uuid, Layer.PERSISTENT)).root)
        tried.pop("hugepages 1G", None)
        for name in chance.sample(sorted(tried), chance.randrange(1, len(tried) + 1)):
            for path, value in tried[name]:
                one = DomainXml(record.name, record.uuid, path)
                # No CPU is pinned to twice in one plan.
                wants[str(one)] = Want(one, str(next(cpu)) if "vcpupin" in path else value)
    return list(wants.values())


def snapshot(machine: Machine) -> dict[str, bytes]:
    folder = Path(machine.origin)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def try_plans(machine: Machine, count: int, chance: random.Random) -> Iterator[str]:
    """Apply, verify and undo so many random plans; what came of each."""
    before = snapshot(machine)
    hosts = host_wants(machine)
    for _ in range(count):
        wants = some_wants(machine, hosts, chance)
        try:
            plan = build([a_finding(*wants, safety=Safety.SAFE)], machine, HOST_UUID)
        except KvmnbError:
            yield "refused when planned"
            continue
        if not plan:
            yield "nothing to change"
            continue
        try:
            journal = apply_plan(plan, machine, HOST_UUID)
        except ApplyFailed:
            assert snapshot(machine) == before
            yield "rolled back"
            continue
        states = Counter(verdict.state for _, verdict in verify_changes(plan.changes, machine))
        assert states[State.DIFFERS] == 0, plan.changes
        undo_plan(journal, machine, HOST_UUID)
        assert snapshot(machine) == before
        assert journal.problem() is None
        yield "applied and undone"


def test_some_random_plans_are_undone_to_the_byte(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    machine = a_copy(demo.path(), tmp_path / "demo", chance, 20)
    told = Counter(try_plans(machine, 12, chance))
    assert told["applied and undone"] > 6, told


@pytest.mark.soak
def test_a_thousand_random_plans_are_undone_to_the_byte(tmp_path: Path) -> None:
    chance = random.Random(1)
    told: Counter[str] = Counter()
    hosts = [demo.path(), *(path.parent for path in sorted(HOSTS.glob("*/recording.json")))]
    for number, source in enumerate(hosts):
        machine = a_copy(source, tmp_path / str(number), chance, 60)
        told += Counter(try_plans(machine, 600 if source == demo.path() else 60, chance))
    print(f"\nRandom plans on {len(hosts)} hosts: {dict(told)}")
    assert told["applied and undone"] >= 1_000
