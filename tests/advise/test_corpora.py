"""Every rule over domain XML that others wrote, and beside plain facts of the same files."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kvmnb.advise.finding import Severity
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.hypervisor import CpuMode, GuestKind, Hypervisor
from kvmnb.probe.domain import domain_of_text
from tests.advise.test_contract import agreeing, well_formed
from tests.builders import a_fact, a_host

# XML files, and those of them that are no domain XML.
ARCHIVES = {
    "libvirt-qemuxmlconf": (1066, 0),
    "projects": (55, 0),
    "users-licensed": (8, 0),
    "virt-manager": (71, 0),
}
HOST = a_host(cores=128)


def texts(corpora: Path, name: str) -> Iterator[tuple[str, str]]:
    with tarfile.open(corpora / "domain-xml" / f"{name}.tar.xz") as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".xml"):
                stream = archive.extractfile(member)
                assert stream is not None
                yield member.name, stream.read().decode(errors="replace")


def host_for(domain: Domain, host: Host = HOST) -> Host:
    """The host, with libvirt asked about this kind of guest."""
    wanted = domain.inactive
    assert wanted is not None
    modes = tuple(a_fact(CpuMode, name=name, supported=True) for name in ("host-passthrough", "maximum"))
    kind = a_fact(GuestKind, virt_type=wanted.virt_type, arch=wanted.arch or "", machine=wanted.machine or "")
    assert isinstance(host.hypervisor, Hypervisor)
    return changed(host, hypervisor=changed(host.hypervisor, guest_kinds=(changed(kind, cpu_modes=modes),)))


@pytest.mark.parametrize("name", ARCHIVES)
def test_no_rule_raises_on_xml_of_others(corpora: Path, name: str) -> None:
    host = a_host(nodes=2, cores=4, threads=2)
    read = refused = 0
    for path, text in texts(corpora, name):
        read += 1
        try:
            domain = domain_of_text(text, path)
        except KvmnbError:
            refused += 1
            continue
        for goal in (Goal.LATENCY, Goal.BALANCED):
            result = audit(host_for(domain, host), [domain], Intent(goal=goal))
            agreeing(result)
            for finding in result.findings:
                well_formed(finding)
    assert (read, refused) == ARCHIVES[name]


def test_rules_agree_with_plain_facts_of_the_files(corpora: Path) -> None:
    """Each statement of the corpora beside the rule that answers it; every difference has its kind."""
    kinds: Counter[str] = Counter()
    files = 0
    for name in ARCHIVES:
        facts = [json.loads(line) for line in (corpora / "domain-xml" / f"{name}.facts.jsonl").read_text().splitlines()]
        by_name = {row["file"]: row for row in facts}
        for path, text in texts(corpora, name):
            row = by_name.get(path) or by_name.get(path.partition("/")[2])
            if row is None:
                continue
            files += 1
            kinds.update(_compared(row, domain_of_text(text, path)))
    assert files == 1117
    assert dict(kinds) == EXPECTED


EXPECTED = {
    "cpu_not_host: agree": 1095,
    "cpu_not_host: a newer named model is left alone": 15,
    "cpu_not_host: not checked": 7,
    "disk_cache_unsafe: agree": 1117,
    "disk_emulated_bus: agree": 1114,
    "disk_emulated_bus: usb and sd are emulated too": 3,
    "emulator_overlap: agree": 1114,
    "emulator_overlap: no pin keeps the emulator away": 3,
    "pin_shared: agree": 1080,
    "pin_shared: a mask names CPUs that the host has not": 37,
    "topology_mismatch: agree": 1116,
    "topology_mismatch: not checked": 1,
    "vcpu_unpinned: agree": 1023,
    "vcpu_unpinned: not checked": 2,
    "vcpu_unpinned: numad places the guest": 9,
    "vcpu_unpinned: some vCPUs have no pin": 4,
    "vcpu_unpinned: the default mask leaves CPUs out": 79,
    "virtio_disk_no_iothread: a disk is only read": 2,
    "virtio_disk_no_iothread: agree": 1104,
    "virtio_disk_no_iothread: its queues are mapped to iothreads": 2,
    "virtio_disk_no_iothread: the SCSI controller has none": 9,
}


def _compared(row: dict[str, Any], domain: Domain) -> Iterator[str]:
    result = {goal: audit(host_for(domain), [domain], Intent(goal=goal)) for goal in (Goal.LATENCY, Goal.BALANCED)}
    fired = {one.id for one in result[Goal.LATENCY].findings}
    grave = {one.id for one in result[Goal.LATENCY].findings if one.severity is Severity.HIGH}
    unchecked = {one.id for one in result[Goal.LATENCY].not_checked}
    said = row["fires"]
    for statement, rule, speaks in (
        ("cpu_not_host", "cpu.mode", "cpu.mode" in fired),
        ("vcpu_unpinned", "cpu.pin.vcpu", "cpu.pin.vcpu" in fired),
        ("pin_shared", "cpu.pin.overlap", "cpu.pin.overlap" in fired),
        ("emulator_overlap", "cpu.pin.emulator", "cpu.pin.emulator" in fired),
        ("topology_mismatch", "cpu.topology.match", "cpu.topology.match" in grave),
        ("disk_emulated_bus", "disk.bus", "disk.bus" in fired),
        ("disk_cache_unsafe", "disk.cache.unsafe", "disk.cache.unsafe" in fired),
        ("virtio_disk_no_iothread", "disk.iothread", "disk.iothread" in fired),
    ):
        if rule in unchecked:
            yield f"{statement}: not checked"
        elif speaks == bool(said[statement]):
            yield f"{statement}: agree"
        else:
            yield f"{statement}: {_why(statement, row, domain, speaks)}"


def _why(statement: str, row: dict[str, Any], domain: Domain, speaks: bool) -> str:
    wanted = domain.inactive
    assert wanted is not None
    model = wanted.cpu.model if wanted.cpu is not None else None
    if statement == "cpu_not_host" and not speaks and model is not None:
        return "a newer named model is left alone"
    if statement == "vcpu_unpinned" and not speaks and wanted.vcpu_placement == "auto":
        return "numad places the guest"
    if statement == "vcpu_unpinned" and not speaks and wanted.vcpu_cpus is not None:
        return "the default mask leaves CPUs out"
    if statement == "vcpu_unpinned" and speaks and wanted.vcpu_pins:
        return "some vCPUs have no pin"
    masks = [wanted.vcpu_cpus or CpuSet(), *(pin.cpus for pin in wanted.vcpu_pins)]
    if statement == "pin_shared" and speaks and max(union(masks)) >= len(HOST.cpus):
        return "a mask names CPUs that the host has not"
    if statement == "emulator_overlap" and speaks and wanted.emulator_pin is None:
        return "no pin keeps the emulator away"
    disks = wanted.devices.disks
    if statement == "disk_emulated_bus" and speaks and {disk.bus for disk in disks} & {"usb", "sd"}:
        return "usb and sd are emulated too"
    if statement == "virtio_disk_no_iothread" and speaks and any(disk.bus == "scsi" for disk in disks):
        return "the SCSI controller has none"
    if statement == "virtio_disk_no_iothread" and any(disk.iothreads_mapped for disk in disks):
        return "its queues are mapped to iothreads"
    if statement == "virtio_disk_no_iothread" and all(disk.readonly for disk in disks):
        return "a disk is only read"
    return f"{row['file']} {speaks}"
