"""Live settings of a guest that really runs: written, read back by libvirt, taken back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from kvmnb.core.errors import Refused, WriteFailed
from kvmnb.machine.hypervisor import Layer, Thread
from kvmnb.machine.machine import Machine
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.live_device import LiveDevice
from kvmnb.tunable.live_iothread import THERE, LiveIothread
from kvmnb.tunable.live_setting import LiveSetting
from kvmnb.tunable.tunable import State, Tunable
from kvmnb.verbs import open_machine
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

Start = Callable[..., Guest]

TAP = "<interface type='ethernet'><mac address='52:54:00:12:34:{:02x}'/><model type='virtio'/></interface>"


def turn_and_take_back(tunable: Tunable, machine: Machine, value: str) -> str | None:
    """Write a value, see that it holds, write the first one, see that it holds; the value it had."""
    before = tunable.read(machine)
    assert before != value
    tunable.write(machine, value)
    assert tunable.read(machine) == value
    assert tunable.verify(machine, value).state is State.HOLDS
    assert tunable.verify(machine, before).state is State.DIFFERS
    tunable.write(machine, before)
    assert tunable.read(machine) == before
    return before


@pytest.fixture
def one(lab: Lab, guest: Start) -> Guest:
    return guest(system=False, **of_two_vcpus(lab))


def of_two_vcpus(lab: Lab) -> dict[str, Any]:
    """A guest with an iothread, a disk and a card."""
    return {
        "vcpus": 2,
        "memory_mib": 192,
        "domain": ("<iothreads>1</iothreads>",),
        "devices": (disk_xml(lab.disk(f"live-{secrets.token_hex(4)}")), TAP.format(1)),
    }


def test_each_live_setting_is_taken_by_libvirt_and_put_back_and_nothing_is_stored(lab: Lab, guest: Start) -> None:
    # Its own driver gives memory back.
    one = guest(**of_two_vcpus(lab))
    machine, stored = open_machine(uri=lab.uri), one.xml()
    tap = next(word.split("'")[1] for word in one.xml(live=True).split("<") if word.startswith("target dev='vnet"))
    for path, value in (
        ("cputune/shares/text()", "2048"),
        ("cputune/quota/text()", "50000"),
        ("cputune/period/text()", "50000"),
        ("cputune/emulator_quota/text()", "80000"),
        ("memtune/hard_limit/text()", "4000000"),
        ("memtune/soft_limit/text()", "3000000"),
        ("blkiotune/weight/text()", "300"),
        ("devices/disk[vda]/iotune/total_bytes_sec/text()", "10000000"),
        ("devices/disk[vda]/iotune/read_iops_sec/text()", "500"),
        ("devices/memballoon/stats/@period", "5"),
        ("currentMemory/text()", str(128 * 1024)),
    ):
        turn_and_take_back(LiveSetting(one.name, one.uuid, path), machine, value)
    turn_and_take_back(LiveDevice(one.name, one.uuid, f"devices/interface[{tap}]/link/@state"), machine, "down")
    turn_and_take_back(LiveIothread(one.name, one.uuid, 1, "poll_max_ns"), machine, "5000")
    extra = LiveIothread(one.name, one.uuid, 7)
    assert extra.read(machine) is None
    extra.write(machine, THERE)
    assert extra.verify(machine, THERE).state is State.HOLDS
    assert any(name.startswith("IO iothread7") for name in one.threads.values())
    extra.write(machine, None)
    assert extra.read(machine) is None
    assert one.xml() == stored
    machine.close()


def test_a_vcpu_is_plugged_and_given_back_or_the_refusal_to_give_it_back_is_told(lab: Lab, guest: Start) -> None:
    """Firmware alone gives none back. A system does, and libvirt 9.0 with QEMU 7.2 does not hear of it."""
    spare = (
        "<vcpus><vcpu id='0' enabled='yes' hotpluggable='no'/><vcpu id='1' enabled='no' hotpluggable='yes'/></vcpus>"
    )
    one = guest(system=False, vcpus=2, domain=(spare,))
    machine = open_machine(uri=lab.uri)
    count = LiveSetting(one.name, one.uuid, "vcpu/@current")
    assert (count.read(machine), len(one.vcpu_threads)) == ("1", 1)
    count.write(machine, "2")
    assert (count.read(machine), len(one.vcpu_threads)) == ("2", 2)
    told = ""
    try:
        count.write(machine, "1")
    except WriteFailed as problem:
        told = str(problem)
    left = len(one.vcpu_threads)
    assert (left, count.verify(machine, "1").state) == ((2, State.DIFFERS) if told else (1, State.HOLDS)), told
    machine.close()


@pytest.mark.parametrize(("attribute", "value"), [("detect_zeroes", "on"), ("queues", "2"), ("discard", "unmap")])
def test_a_disk_update_that_libvirt_does_not_make_is_never_called_done(
    lab: Lab, one: Guest, attribute: str, value: str
) -> None:
    """libvirt 9.0 says yes to detect_zeroes and queues, and changes nothing."""
    machine = open_machine(uri=lab.uri)
    tunable = LiveDevice(one.name, one.uuid, f"devices/disk[vda]/driver/@{attribute}")
    live = one.xml(live=True)
    with pytest.raises(WriteFailed):
        tunable.write(machine, value)
    assert one.xml(live=True) == live
    assert tunable.verify(machine, value).state is State.DIFFERS
    machine.close()


def test_a_transient_guest_takes_live_changes_and_is_never_defined(lab: Lab, guest: Start) -> None:
    one = guest(system=False)
    one.domain.undefine()
    machine = open_machine(uri=lab.uri)
    assert turn_and_take_back(LiveSetting(one.name, one.uuid, "cputune/shares/text()"), machine, "2048") == "1024"
    with pytest.raises(Refused, match="transient"):
        machine.libvirt.define(one.uuid, machine.libvirt.xml(one.uuid, Layer.LIVE))
    assert not one.domain.isPersistent()
    machine.close()


def test_a_live_setting_of_a_guest_that_stopped_is_neither_read_nor_verified(lab: Lab, one: Guest) -> None:
    machine = open_machine(uri=lab.uri)
    one.domain.destroy()
    for tunable in (
        LiveSetting(one.name, one.uuid, "cputune/shares/text()"),
        LiveIothread(one.name, one.uuid, 1),
        LiveDevice(one.name, one.uuid, "devices/disk[vda]/driver/@discard"),
        DomainLive(one.name, one.uuid, Thread.VCPU, 0),
    ):
        assert tunable.read(machine) is None
        assert tunable.verify(machine, "1").state is State.NOT_APPLICABLE
    machine.close()
