"""The host's CPUs and nodes agree with libvirt's own capabilities, on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from kvmnb.advise.intent_file import read_intent
from kvmnb.core.cpuset import CpuSet
from kvmnb.machine import sources
from kvmnb.probe.load import probe_load
from kvmnb.probe.survey import probe
from kvmnb.verbs import Here
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab


def test_cpus_cores_and_nodes_are_those_of_virsh_capabilities(lab: Lab) -> None:
    said = subprocess.run(["virsh", "-c", lab.uri, "capabilities"], capture_output=True, check=True, timeout=60).stdout
    root = etree.fromstring(said)
    machine = sources.live(lab.uri)
    host = probe(machine).host
    machine.close()
    cells = root.findall("host/topology/cells/cell")
    assert [int(cell.get("id", "-1")) for cell in cells] == [node.id for node in host.numa_nodes]
    cpus = {int(cpu.get("id", "-1")): cpu for cell in cells for cpu in cell.findall("cpus/cpu")}
    assert CpuSet(cpus) == host.online
    for cpu in host.cpus:
        if cpu.online:
            told = cpus[cpu.id]
            assert (int(told.get("socket_id", "-1")), int(told.get("core_id", "-1"))) == (cpu.package, cpu.core)
            assert CpuSet.parse(told.get("siblings", "")) == cpu.siblings
    assert root.findtext("host/cpu/arch") == host.arch


def test_a_window_shows_the_running_guests_vcpus(lab: Lab, guest: Callable[..., Guest]) -> None:
    one = guest(vcpus=2, busy=1)
    machine = sources.live(lab.uri)
    load = probe_load(machine, 1.0)
    machine.close()
    (seen,) = [found for found in load.guests if found.uuid == one.uuid]
    assert [vcpu.vcpu for vcpu in seen.vcpus] == [0, 1]
    assert "emulator" in {thread.kind for thread in seen.threads}
    # It has no disk, and libvirt says so.
    assert seen.disks == ()
    # What libvirt, cgroups and the kernel do not count of it is None; nothing could not be read.
    assert seen.gaps() == ()
    assert all(cpu.gap_of("interrupts_per_second") is None for cpu in load.cpus)
    # One busy shell keeps one vCPU running or waiting for a CPU.
    assert max(vcpu.run_ratio + vcpu.delay_ratio for vcpu in seen.vcpus) > 0.5


def test_the_image_chain_of_a_running_guest_is_read(lab: Lab, guest: Callable[..., Guest], tmp_path: Path) -> None:
    below, above = lab.root / "below.qcow2", lab.root / "above.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(below), "32M"], check=True)
    backing = ["-b", str(below), "-F", "qcow2"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(above)], check=True)
    one = guest(system=False, devices=(disk_xml(above).replace("type='raw'", "type='qcow2'"),))
    here = Here(sources.live(lab.uri), read_intent())
    (disk,) = here.images()[one.name]
    here.machine.close()
    assert (disk.target, [image.format for image in disk.image.chain]) == ("vda", ["qcow2", "qcow2"])
    assert (disk.image.virtual_bytes, disk.image.cluster_bytes) == (32 * 1024**2, 65536)
