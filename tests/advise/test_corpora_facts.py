"""The rules beside plain facts of others' XML files: each kind of difference has its reason and its count."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kvmnb.advise.finding import Finding, Severity
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.core.units import GIB
from kvmnb.facts.domain import Configuration
from kvmnb.probe.domain import domain_of_text
from tests.advise.test_corpora import ARCHIVES, HOST, host_for, texts

Row = dict[str, Any]
# A word about a difference: what the file says, whether the rule speaks, and what the guest is.
Reason = Callable[[Row, bool, Configuration], bool]


@dataclass(frozen=True)
class Statement:
    """One plain fact, the rule that answers it under a goal, and why the two may differ."""

    name: str
    rule: str
    goal: Goal
    reasons: dict[str, Reason]
    counts: dict[str, int]
    grave_only: bool = False


def test_rules_agree_with_plain_facts_of_the_files(corpora: Path) -> None:
    kinds: dict[str, Counter[str]] = {one.name: Counter() for one in STATEMENTS}
    read = Counter[str]()
    for archive in ARCHIVES:
        lines = (corpora / "domain-xml" / f"{archive}.facts.jsonl").read_text().splitlines()
        rows = {row["file"]: row for row in map(json.loads, lines)}
        for path, text in texts(corpora, archive):
            row = rows.pop(path, None) or rows.pop(path.partition("/")[2], None)
            if row is not None:
                read[archive] += 1
                for statement, kind in compared(row, text):
                    kinds[statement][kind] += 1
        assert not rows, "each file that facts are stated of is in its archive"
    assert read == {"libvirt-qemuxmlconf": 1055, "projects": 17, "users-licensed": 7, "virt-manager": 38}
    assert {name: dict(counts) for name, counts in kinds.items()} == {one.name: one.counts for one in STATEMENTS}


def compared(row: Row, text: str) -> Iterator[tuple[str, str]]:
    """Each statement, and the kind of agreement or difference."""
    domain = domain_of_text(text, row["file"])
    wanted, host = domain.wanted, host_for(domain)
    said: dict[str, list[Finding]] = {}
    unchecked: dict[str, str] = {}
    for goal in {one.goal for one in STATEMENTS}:
        rules = [one.rule for one in STATEMENTS if one.goal is goal]
        result = audit(host, [domain], Intent(goal=goal), only=rules)
        for finding in result.findings:
            said.setdefault(finding.id, []).append(finding)
        unchecked |= {one.id: one.reason for one in result.not_checked}
    assert set(row["fires"]) == {one.name for one in STATEMENTS}
    for one in STATEMENTS:
        speaks = any(not one.grave_only or found.severity is Severity.HIGH for found in said.get(one.rule, ()))
        if one.rule in unchecked:
            yield one.name, f"not checked: {unchecked[one.rule]}"
        elif speaks == row["fires"][one.name]:
            yield one.name, "agree"
        else:
            words = (words for words, reason in one.reasons.items() if reason(row, speaks, wanted))
            yield one.name, next(words, f"UNEXPLAINED {row['file']} {speaks}")


# The types of interfaces for which libvirt makes a tap or macvtap.
MADE = ("bridge", "network", "direct")
NO_MEMORY = "not checked: domains[QEMUGuest1].memory_bytes: the XML has no text"
NOT_ASKED = "not checked: host.hypervisor.guest_kinds: libvirt was not asked about guests of this kind"


def buses(row: Row) -> set[str]:
    """The buses of the file's disks."""
    return {disk["bus"] for disk in row["disks"]}


def names_a_model(wanted: Configuration) -> bool:
    """Whether the guest's CPU is one by name."""
    return wanted.cpu is not None and wanted.cpu.model is not None


def reports(wanted: Configuration) -> bool:
    """Whether the guest's balloon is asked for reports."""
    balloon = wanted.devices.balloon
    return balloon is not None and bool(balloon.stats_period_seconds)


def highest(wanted: Configuration) -> int:
    """The highest CPU that a mask of vCPUs names."""
    return max(union([wanted.vcpu_cpus or CpuSet(), *(pin.cpus for pin in wanted.vcpu_pins)]), default=-1)


STATEMENTS = (
    Statement(
        "cpu_not_host",
        "cpu.mode",
        Goal.LATENCY,
        {"a newer named model is left alone": lambda row, speaks, wanted: not speaks and names_a_model(wanted)},
        {
            "agree": 1095,
            "a newer named model is left alone": 15,
            f"{NOT_ASKED} (kvm no architecture no machine type)": 3,
            f"{NOT_ASKED} (kvm x86_64 no machine type)": 1,
            f"{NOT_ASKED} (qemu i686 no machine type)": 2,
            f"{NOT_ASKED} (qemu no architecture no machine type)": 1,
        },
    ),
    Statement(
        "vcpu_unpinned",
        "cpu.pin.vcpu",
        Goal.LATENCY,
        {
            "numad places the guest": lambda row, speaks, wanted: not speaks and wanted.vcpu_placement == "auto",
            "the default mask leaves CPUs out": lambda row, speaks, wanted: not speaks and bool(wanted.vcpu_cpus),
            "some vCPUs have no pin": lambda row, speaks, wanted: speaks and row["fires"]["partially_pinned"],
        },
        {
            "agree": 1023,
            "the default mask leaves CPUs out": 79,
            "numad places the guest": 9,
            "some vCPUs have no pin": 4,
            NO_MEMORY: 2,
        },
    ),
    Statement(
        "partially_pinned",
        "cpu.pin.vcpu",
        Goal.LATENCY,
        {"no vCPU has a pin": lambda row, speaks, wanted: speaks and not row["vcpupin"]},
        {"agree": 100, "no vCPU has a pin": 1015, NO_MEMORY: 2},
    ),
    Statement(
        "pin_shared",
        "cpu.pin.overlap",
        Goal.LATENCY,
        {
            "a mask names CPUs that the host has not": lambda row, speaks, wanted: (
                speaks and highest(wanted) >= len(HOST.cpus)
            )
        },
        {"agree": 1080, "a mask names CPUs that the host has not": 37},
    ),
    Statement(
        "emulator_overlap",
        "cpu.pin.emulator",
        Goal.LATENCY,
        {"no pin keeps the emulator away": lambda row, speaks, wanted: speaks and not row["emulatorpin"]},
        {"agree": 1114, "no pin keeps the emulator away": 3},
    ),
    Statement(
        "topology_mismatch",
        "cpu.topology.match",
        Goal.LATENCY,
        {},
        {"agree": 1116, NO_MEMORY: 1},
        grave_only=True,
    ),
    Statement(
        "no_hugepages",
        "mem.hugepages.static",
        Goal.LATENCY,
        {"the guest is smaller than 4 GiB": lambda row, speaks, wanted: not speaks and wanted.memory_bytes < 4 * GIB},
        {"agree": 126, "the guest is smaller than 4 GiB": 989, NO_MEMORY: 2},
    ),
    Statement(
        "balloon_active",
        "mem.balloon.stats",
        Goal.BALANCED,
        {
            "libvirt adds a balloon where none is named": lambda row, speaks, wanted: (
                speaks and row["memballoon"] == "absent"
            ),
            "its balloon reports already": lambda row, speaks, wanted: not speaks and reports(wanted),
        },
        {"agree": 985, "libvirt adds a balloon where none is named": 124, "its balloon reports already": 8},
    ),
    Statement(
        "disk_emulated_bus",
        "disk.bus",
        Goal.LATENCY,
        {"usb and sd are emulated too": lambda row, speaks, wanted: speaks and bool(buses(row) & {"usb", "sd"})},
        {"agree": 1114, "usb and sd are emulated too": 3},
    ),
    Statement("disk_cache_unsafe", "disk.cache.unsafe", Goal.LATENCY, {}, {"agree": 1117}),
    Statement(
        "virtio_disk_no_iothread",
        "disk.iothread",
        Goal.LATENCY,
        {
            "the SCSI controller has none": lambda row, speaks, wanted: speaks and "scsi" in buses(row),
            "its queues are mapped to iothreads": lambda row, speaks, wanted: (
                not speaks and any(disk.iothreads_mapped for disk in wanted.devices.disks)
            ),
            "a disk is only read": lambda row, speaks, wanted: (
                not speaks and all(disk.readonly for disk in wanted.devices.disks)
            ),
        },
        {
            "agree": 1104,
            "the SCSI controller has none": 9,
            "its queues are mapped to iothreads": 2,
            "a disk is only read": 2,
        },
    ),
    Statement(
        "nic_emulated",
        "net.model",
        Goal.LATENCY,
        {
            "a PC's NIC without a model is emulated too": lambda row, speaks, wanted: (
                speaks and any(nic["model"] is None for nic in row["nics"])
            )
        },
        {"agree": 1113, "a PC's NIC without a model is emulated too": 4},
    ),
    Statement(
        "virtio_net_single_queue",
        "net.queues",
        Goal.THROUGHPUT,
        {
            "more queues than vCPUs": lambda row, speaks, wanted: (
                speaks and any(int(nic["queues"] or 1) > row["vcpus"] for nic in row["nics"])
            ),
            "one vCPU is plugged in at the start": lambda row, speaks, wanted: not speaks and wanted.vcpus_current == 1,
            "none is a virtio NIC on a tap that libvirt makes": lambda row, speaks, wanted: (
                not speaks and not any(nic["model"] == "virtio" and nic["type"] in MADE for nic in row["nics"])
            ),
        },
        {
            "agree": 1085,
            "more queues than vCPUs": 2,
            "one vCPU is plugged in at the start": 1,
            "none is a virtio NIC on a tap that libvirt makes": 29,
        },
    ),
)
