"""An applier killed at any write: afterwards every setting of the real machine is before, or after, as a whole."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from kvmnb.advise.intent_file import read_intent
from kvmnb.apply.run import apply_plan, resume_plan, undo_plan
from kvmnb.apply.shelf import HALF_WAY, Shelf
from kvmnb.machine.hypervisor import Thread
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import live
from kvmnb.plan.build import build
from kvmnb.plan.plan import Plan, new_id
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.ethtool import Ethtool
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from kvmnb.verbs import Here
from tests.apply.killing import boundaries, killed
from tests.findings import a_finding
from tests.lab.daemon import Lab
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

# No other run on this machine has these names, nor has the machine itself.
BRIDGE, NIC, PEER = (f"kvmnb{os.getpid() % 1_000_000}{end}" for end in ("br", "v0", "v1"))
OFFLOADS = ("tx-tcp-segmentation", "generic-receive-offload")
"""As ethtool prints them."""
DISK = "block/loop7/queue"
POOL = "devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
MEMORY = "kernel/mm"

WANTS = (
    Want(Sysfs(POOL), "16"),
    Want(Sysfs(f"{MEMORY}/transparent_hugepage/enabled"), "always"),
    Want(Sysfs(f"{MEMORY}/transparent_hugepage/defrag"), "defer+madvise"),
    Want(Sysfs(f"{MEMORY}/ksm/run"), "1"),
    Want(Sysfs(f"{DISK}/scheduler"), "mq-deadline"),
    Want(Sysfs(f"{DISK}/nr_requests"), "200"),
    Want(Sysfs(f"{DISK}/read_ahead_kb"), "512"),
    Want(Sysctl("vm.swappiness"), "10"),
    Want(Sysctl("vm.dirty_bytes"), "268435456"),
    Want(Sysctl("vm.stat_interval"), "10"),
    Want(Sysfs(f"class/net/{BRIDGE}/bridge/stp_state"), "1"),
    Want(Ethtool(f"{NIC}/mtu"), "9000"),
    Want(Ethtool(f"{NIC}/features/tx-tcp-segmentation"), "off"),
    Want(Ethtool(f"{NIC}/features/rx-gro"), "on"),
)

PATHS = tuple(
    f"/sys/{one.tunable.path}" if isinstance(one.tunable, Sysfs) else f"/proc/sys/{one.tunable.key.replace('.', '/')}"
    for one in (*WANTS, Want(Sysctl("vm.dirty_ratio"), None))
    if isinstance(one.tunable, Sysfs | Sysctl)
)


@dataclass(frozen=True)
class Bench:
    """The machine, a guest on it, and the plan of twenty changes."""

    uri: str
    guest: Guest
    plan: Plan
    host_uuid: str | None

    def reached(self) -> Machine:
        return live(self.uri)

    def found(self) -> dict[str, object]:
        """Every setting of the plan as the kernel and libvirt say, without a word of kvmnb's."""
        threads = [self.guest.affinities[thread] for thread in (self.guest.pid, *self.guest.vcpu_threads)]
        files = {path: Path(path).read_text() for path in PATHS}
        return files | _nic() | {"xml": self.guest.xml(), "threads": threads}

    def apply(self) -> None:
        apply_plan(replace(self.plan, id=new_id()), self.reached(), self.host_uuid)

    def recover(self, resume: bool) -> None:
        machine = self.reached()
        for journal in Shelf.own().journals():
            if journal.state in HALF_WAY and resume:
                resume_plan(journal, machine, self.host_uuid)
            elif journal.state in HALF_WAY or journal.standing():
                undo_plan(journal, machine, self.host_uuid)


def _nic() -> dict[str, object]:
    """The veth's MTU and offloads, in the words of the kernel and of ethtool."""
    said = subprocess.run(["ethtool", "-k", NIC], check=True, capture_output=True, text=True).stdout.splitlines()
    states = dict(line.strip().split(": ", 1) for line in said[1:])
    mtu = Path(f"/sys/class/net/{NIC}/mtu").read_text()
    return {"mtu": mtu, **{name: states[name] for name in OFFLOADS}}


@contextmanager
def _links() -> Iterator[None]:
    """A bridge and a pair of veths on no network; they are removed whatever happens."""
    made = {BRIDGE: ["bridge"], NIC: ["veth", "peer", "name", PEER]}
    try:
        for name, kind in made.items():
            subprocess.run(["ip", "link", "add", name, "type", *kind], check=True)
        yield
    finally:
        for name in made:
            if Path(f"/sys/class/net/{name}").exists():
                subprocess.run(["ip", "link", "del", name], check=True)


@pytest.fixture
def bench(lab: Lab, guest: Callable[..., Guest], restore: Callable[..., None]) -> Iterator[Bench]:
    with _links():
        # The scheduler goes back before the depth that it resets: the last file is put back first.
        restore(f"/sys/{DISK}/nr_requests", f"/sys/{DISK}/scheduler", "/proc/sys/vm/dirty_ratio")
        restore(*(path for path in PATHS if DISK not in path and "dirty" not in path and BRIDGE not in path))
        Path(f"/sys/{DISK}/nr_requests").write_text("64")
        one = guest(vcpus=2, system=False)
        everywhere = sorted(os.sched_getaffinity(0))
        cpus = [str(cpu) for cpu in (everywhere * 2)[:3]]
        pins = (
            Want(DomainLive(one.name, one.uuid, Thread.VCPU, 0), cpus[0]),
            Want(DomainLive(one.name, one.uuid, Thread.VCPU, 1), cpus[1]),
            Want(DomainLive(one.name, one.uuid, Thread.EMULATOR), cpus[2]),
            Want(DomainXml(one.name, one.uuid, "cputune/vcpupin[0]/@cpuset"), cpus[0]),
            Want(DomainXml(one.name, one.uuid, "cputune/vcpupin[1]/@cpuset"), cpus[1]),
            Want(DomainXml(one.name, one.uuid, "memoryBacking/nosharepages"), "<nosharepages/>"),
        )
        machine = live(lab.uri)
        host_uuid = Here(machine, read_intent()).host.uuid
        plan = build([a_finding(*WANTS, *pins)], machine, host_uuid, live_only=True)
        machine.close()
        assert len(plan.changes) == 20, [str(one.tunable) for one in plan.changes]
        yield Bench(lab.uri, one, plan, host_uuid)


def _kill_and_recover(bench: Bench, kills: int, seed: int, scratch: Path) -> dict[str, int]:
    """Kill so often, each time at another write, then recover; what came of it, counted."""
    chance = random.Random(seed)
    before = bench.found()
    whole = boundaries(bench.apply, scratch)
    after = bench.found()
    assert {name for name in after if after[name] == before[name]} == set()
    back = boundaries(lambda: bench.recover(False), scratch)
    assert bench.found() == before
    places = chance.sample(range(whole), min(kills, whole))
    places += [chance.randrange(whole) for _ in range(kills - len(places))]
    told = {"kills": 0, "kills while recovering": 0, "all before": 0, "all after": 0}
    for place in places:
        assert killed(bench.apply, place)
        told["kills"] += 1
        recover = partial(bench.recover, chance.random() < 0.5)
        # Every third recovery is killed too, and another process recovers in its turn.
        if chance.random() < 1 / 3 and killed(recover, chance.randrange(back)):
            told["kills while recovering"] += 1
        assert not killed(recover, -1)
        now = bench.found()
        word = "all before" if now == before else "all after" if now == after else ""
        assert word, f"killed at {place}, {recover}: " + json.dumps(
            {name: (repr(now[name]), repr(before[name])) for name in now if now[name] != before[name]}, indent=1
        )
        told[word] += 1
        if word == "all after":
            assert not killed(lambda: bench.recover(False), -1)
            assert bench.found() == before
    return told


def test_a_kill_at_any_write_leaves_the_machine_all_before_or_all_after(bench: Bench, tmp_path: Path) -> None:
    told = _kill_and_recover(bench, 30, 20261123, tmp_path / "count")
    assert told["kills"] == 30
    assert told["all before"] and told["all after"]


@pytest.mark.soak
def test_hundreds_of_kills_leave_the_machine_all_before_or_all_after(bench: Bench, tmp_path: Path) -> None:
    told = _kill_and_recover(bench, int(os.environ.get("KVMNB_KILLS", "500")), 1, tmp_path / "count")
    print(f"\nKilled appliers on the lab: {told}")
    assert told["all before"] + told["all after"] == told["kills"]
