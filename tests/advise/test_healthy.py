"""Guests that follow the catalogue get no finding above info; spoil one thing, and the rule for it speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from kvmnb.advise.finding import Finding, Severity
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import Audit, audit, rule
from tests.advise.test_following import valid
from tests.builders import Guest
from tests.hosts_filled import HOSTS, filled

GUESTS = sorted(HOSTS.glob("*/healthy*.xml"))
FEWEST_SPOILED = 6
# What one look at a recorded host cannot tell: rates, processes, and what lies inside image files.
UNSEEN = {"net.vhost", "net.ring.virtio", "net.sriov", "numa.placement_actual", "disk.io", "disk.qcow2.layout"}

every_guest = pytest.mark.parametrize("path", GUESTS, ids=lambda path: path.stem)


@dataclass(frozen=True)
class Spoiled:
    """One thing in a healthy guest that is taken away or set wrongly, and the rule that has to see it."""

    name: str
    pattern: str
    instead: str
    rule: str
    only: str = ""
    """A pattern that the XML has to hold besides, for the rule to be asked at all."""

    def applied(self, text: str) -> str:
        """The XML with it; as it was where there is nothing to spoil."""
        return (
            re.sub(self.pattern, self.instead, text, count=1, flags=re.DOTALL) if re.search(self.only, text) else text
        )


WINDOWS, LINUX = "microsoft", r"debian|ubuntu|rocky|alpine"
SPOILED = (
    Spoiled("the CPU is QEMU's default", r"<cpu mode='host-passthrough'[^>]*/>", "", "cpu.mode"),
    # Under the goal latency alone: elsewhere a pin on every vCPU is what shows that the guest is to have its CPUs.
    Spoiled("one vCPU has no pin", r"\s*<vcpupin vcpu='0'[^>]*/>", "", "cpu.pin.vcpu", "<name>latency"),
    Spoiled("one vCPU floats", r"<vcpupin vcpu='0' cpuset='\d+'", "<vcpupin vcpu='0' cpuset='0-127'", "cpu.pin.vcpu"),
    Spoiled(
        "two vCPUs share a CPU",
        r"(<vcpupin vcpu='0' cpuset='(\d+)'/>\s*<vcpupin vcpu='1' cpuset=')\d+'",
        r"\1\2'",
        "cpu.pin.overlap",
    ),
    Spoiled("the emulator floats", r"\s*<emulatorpin[^>]*/>", "", "cpu.pin.emulator"),
    Spoiled("an iothread floats", r"\s*<iothreadpin[^>]*/>", "", "cpu.pin.iothread"),
    Spoiled("memory comes from any node", r"\s*<numatune>.*</numatune>", "", "numa.strict", "<vcpupin"),
    Spoiled("vCPUs roam over the nodes", r" cpuset='[\d,]+'>(\d+)</vcpu>", r">\1</vcpu>", "numa.fit"),
    Spoiled("no hugepages", r"\s*<memoryBacking>.*</memoryBacking>", "", "mem.hugepages.static"),
    Spoiled("locked and in a pool", r"</hugepages>", "</hugepages><locked/>", "mem.locked"),
    Spoiled("the balloon is silent", r"\s*<stats period='5'/>", "", "mem.balloon.stats"),
    Spoiled("no memory is given back", r" freePageReporting='on'", "", "mem.balloon.fpr"),
    Spoiled(
        "an imitated NIC", r"<model type='virtio'/>(?=\s*<driver|\s*</interface)", "<model type='e1000'/>", "net.model"
    ),
    Spoiled("a single queue", r" queues='4'/>", "/>", "net.queues"),
    Spoiled(
        "vhost is switched off", r"(<model type='virtio'/>)(?=\s*</interface)", r"\1<driver name='qemu'/>", "net.vhost"
    ),
    Spoiled("an imitated disk", r"dev='vda' bus='virtio'", "dev='sda' bus='sata'", "disk.bus"),
    Spoiled("flushes are ignored", r"cache='none' io='native'", "cache='unsafe'", "disk.cache.unsafe"),
    Spoiled("cached twice", r"cache='none' io='native'", "cache='writeback'", "disk.cache"),
    Spoiled("the main loop serves the disk", r"(unmap') iothread='1'", r"\1", "disk.iothread"),
    Spoiled("freed blocks stay", r" discard='unmap'", "", "disk.discard", "type='qcow2'"),  # raw is not checked
    Spoiled("no agent", r"\s*<channel type='unix'>.*</channel>", "", "dev.agent"),
    Spoiled("a machine of old", r"pc-q35-7\.2", "pc-q35-2.12", "dev.machine_type"),
    Spoiled("the topology holds too few", r"cores='\d+'", "cores='1'", "cpu.topology.match"),
    Spoiled("no enlightenments", r"\s*<hyperv.*</hyperv>", "", "win.hyperv"),
    Spoiled(
        "Windows reads the slow clock", r"name='hpet' present='no'", "name='hpet' present='yes'", "win.timers", WINDOWS
    ),
    Spoiled(
        "Linux has a timer to spare", r"name='hpet' present='no'", "name='hpet' present='yes'", "dev.timer.linux", LINUX
    ),
)


def goal_of(path: Path) -> Goal:
    """The goal that the guest was written for, by its file's name."""
    return Goal(path.stem.split("-")[1])


def judged(path: Path, text: str, *only: str) -> Audit:
    """What the rules say of the guest on its host, while it runs so."""
    return audit(filled(path.parent.name), [Guest(text, text).domain], Intent(goal=goal_of(path)), only=only or None)


def above_info(result: Audit) -> list[Finding]:
    """What is found of the guest itself and to be acted on."""
    return [one for one in result.findings if one.domain is not None and one.severity is not Severity.INFO]


def test_there_are_enough_of_them_for_each_goal_and_system() -> None:
    goals = [goal_of(path) for path in GUESTS]
    assert len(GUESTS) >= 14
    assert all(goals.count(goal) >= 3 for goal in Goal)
    assert len({path.parent for path in GUESTS}) >= 5
    assert sum(WINDOWS in path.read_text() for path in GUESTS) >= 3


@every_guest
def test_a_healthy_guest_gets_no_finding_above_info(path: Path) -> None:
    text = path.read_text()
    valid(text)
    result = judged(path, text)
    assert {one.id for one in result.not_checked if one.subject != "host"} <= UNSEEN
    assert [(one.id, one.saw) for one in above_info(result)] == []


@every_guest
def test_what_is_spoiled_is_found(path: Path) -> None:
    text = path.read_text()
    seen: list[str] = []
    unseen: list[str] = []
    for one in SPOILED:
        spoiled = one.applied(text)
        if spoiled == text or goal_of(path) not in rule(one.rule).goals:
            continue
        found = above_info(judged(path, spoiled, one.rule))
        (seen if found else unseen).append(one.name)
    assert not unseen
    assert len(seen) >= FEWEST_SPOILED
