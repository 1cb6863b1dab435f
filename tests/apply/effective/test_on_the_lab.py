"""Verdicts on guests that really run: what the QEMU process and the kernel show, not what libvirt was told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kvmnb.apply.effective.verify import verdicts
from kvmnb.machine.machine import Machine
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.tunable import State, Verdict
from kvmnb.verbs import open_machine
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

Start = Callable[..., Guest]

TUNED = "cache='none' io='native' iothread='1' queues='2' queue_size='512' discard='unmap' detect_zeroes='unmap'"
TAP = "<mac address='52:54:00:00:00:09'/><model type='virtio'/><driver queues='2' rx_queue_size='512'"


def asked(guest: Guest, machine: Machine, wanted: Mapping[str, str]) -> dict[str, Verdict]:
    """The verdict on each path's value."""
    pairs = [(DomainXml(guest.name, guest.uuid, path), value) for path, value in wanted.items()]
    return dict(zip(wanted, verdicts(pairs, machine), strict=True))


def test_a_guest_is_verified_by_its_qemu_and_the_kernel(lab: Lab, guest: Start) -> None:
    # Its own driver asks for the queues.
    one = guest(
        vcpus=2,
        domain=("<iothreads>2</iothreads>", "<cputune><vcpupin vcpu='0' cpuset='1'/></cputune>"),
        devices=(
            disk_xml(lab.disk("tuned"), driver=TUNED),
            disk_xml(lab.disk("plain"), target="vdb", driver="cache='writeback' io='threads'"),
            "<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='2' queues='2'/></controller>",
            f"<interface type='ethernet'>{TAP} tx_queue_size='512'/></interface>",
        ),
    )
    machine = open_machine(uri=lab.uri)
    card = "devices/interface[52%3A54%3A00%3A00%3A00%3A09]/driver"
    found = asked(
        one,
        machine,
        {
            "devices/disk[vda]/driver/@cache": "none",
            "devices/disk[vda]/driver/@io": "native",
            "devices/disk[vda]/driver/@iothread": "1",
            "devices/disk[vda]/driver/@queues": "2",
            "devices/disk[vda]/driver/@queue_size": "512",
            "devices/disk[vda]/driver/@discard": "unmap",
            "devices/disk[vda]/driver/@detect_zeroes": "unmap",
            "devices/disk[vdb]/driver/@cache": "writeback",
            "devices/disk[vdb]/driver/@io": "threads",
            "devices/controller[scsi][0]/driver/@iothread": "2",
            "devices/controller[scsi][0]/driver/@queues": "2",
            f"{card}/@queues": "2",
            f"{card}/@rx_queue_size": "512",
            "cputune/vcpupin[0]/@cpuset": "1",
            "iothreads/text()": "2",
            "vcpu/text()": "2",
            "cpu/model/text()": "qemu64",
        }
        | {"os/type/@machine": str(one.xml().split("machine='")[1].split("'")[0])},
    )
    assert {path: verdict for path, verdict in found.items() if verdict.state is not State.HOLDS} == {}
    assert [path for path, verdict in found.items() if "in force, read from /" not in verdict.reason] == []
    assert "fdinfo" in found["devices/disk[vda]/driver/@cache"].reason
    assert "/sys/class/net/vnet" in found[f"{card}/@queues"].reason
    # libvirt stores a transmit ring that QEMU shortens without a word.
    ring = asked(one, machine, {f"{card}/@tx_queue_size": "512"})[f"{card}/@tx_queue_size"]
    assert (ring.state, ring.found) == (State.DIFFERS, "256")
    machine.close()


def test_a_thread_that_something_else_moved_differs_though_libvirt_says_it_holds(lab: Lab, guest: Start) -> None:
    one = guest(system=False, domain=("<cputune><vcpupin vcpu='0' cpuset='0-1'/></cputune>",))
    machine = open_machine(uri=lab.uri)
    os.sched_setaffinity(one.vcpu_threads[0], {1})
    verdict = asked(one, machine, {"cputune/vcpupin[0]/@cpuset": "0-1"})["cputune/vcpupin[0]/@cpuset"]
    assert (verdict.state, verdict.found) == (State.DIFFERS, "1")
    machine.close()


def test_what_is_stored_alone_says_that_a_restart_is_needed_until_there_was_one(lab: Lab, guest: Start) -> None:
    one = guest(system=False, devices=(disk_xml(lab.disk("wait")),))
    machine = open_machine(uri=lab.uri)
    tunable = DomainXml(one.name, one.uuid, "devices/disk[vda]/driver/@cache")
    tunable.write(machine, "none")
    waits = "a restart is needed"
    assert waits in verdicts([(tunable, "none")], machine)[0].reason
    # A reset, as a reboot inside the guest, keeps the QEMU process and so its old settings.
    pid = one.pid
    one.domain.reset()
    assert (one.pid, waits in verdicts([(tunable, "none")], machine)[0].reason) == (pid, True)
    one.domain.destroy()
    assert "shut off" in verdicts([(tunable, "none")], machine)[0].reason
    one.domain.create()
    verdict = verdicts([(tunable, "none")], machine)[0]
    assert (verdict.state, waits in verdict.reason, "fdinfo" in verdict.reason) == (State.HOLDS, False, True)
    machine.close()


def test_hugepages_are_seen_in_the_maps_of_the_process(lab: Lab, guest: Start, restore: Callable[..., None]) -> None:
    pool = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
    restore(pool)
    before = int(pool.read_text())
    pool.write_text(str(before + 80))
    if int(pool.read_text()) < before + 80:
        pytest.skip("the memory is too fragmented for 80 hugepages")
    one = guest(system=False, memory_mib=128, domain=("<memoryBacking><hugepages/></memoryBacking>",))
    plain = guest(system=False, memory_mib=128)
    machine = open_machine(uri=lab.uri)
    path = "memoryBacking/hugepages"
    verdict = asked(one, machine, {path: "<hugepages/>"})[path]
    assert verdict.state is State.HOLDS, verdict
    assert "numa_maps" in verdict.reason
    assert asked(plain, machine, {path: "<hugepages/>"})[path].state is State.DIFFERS
    one.remove()
    machine.close()


def test_the_nodes_of_a_guests_memory_are_seen(lab: Lab, guest: Start) -> None:
    one = guest(system=False, domain=("<numatune><memory mode='strict' nodeset='0'/></numatune>",))
    machine = open_machine(uri=lab.uri)
    verdict = asked(one, machine, {"numatune/memory/@nodeset": "0"})["numatune/memory/@nodeset"]
    assert (verdict.state, "numa_maps" in verdict.reason) == (State.HOLDS, True)
    machine.close()
