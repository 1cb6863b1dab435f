"""Live settings on a copy of a recording: its live XML answers and keeps them; what needs a QEMU is not answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.core.errors import NotAnswered, Refused, WriteFailed
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import recorded, scratch
from kvmnb.tunable.live_device import LiveDevice
from kvmnb.tunable.live_iothread import THERE, LiveIothread
from kvmnb.tunable.live_setting import LiveSetting
from kvmnb.tunable.live_settings import known
from kvmnb.tunable.tunable import State, Undo
from tests.small_host import UUIDS, write_guest, write_host

DEVICES = (
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/d'/>"
    "<target dev='vda' bus='virtio'/></disk>"
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='vnet0'/>"
    "<model type='virtio'/></interface><memballoon model='virtio'/>"
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = write_host(tmp_path / "recorded")
    write_guest(folder, "web", 0)
    live = folder / "libvirt/domains" / UUIDS[0] / "live.xml"
    text = live.read_text()
    assert "</devices>" in text
    live.write_text(text.replace("</devices>", f"{DEVICES}</devices>"))
    return folder


@pytest.fixture
def machine(source: Path, tmp_path: Path) -> Machine:
    return scratch(source, tmp_path / "copy")


@pytest.mark.parametrize(
    ("path", "before", "value", "undo"),
    [
        ("cputune/quota/text()", "-1", "50000", Undo.EQUAL_IN_EFFECT),
        ("memtune/hard_limit/text()", "9007199254740991", "4194304", Undo.EXACT),
        ("devices/disk[vda]/iotune/total_iops_sec/text()", "0", "500", Undo.EXACT),
        ("devices/interface[vnet0]/bandwidth/inbound/@average", "0", "1000", Undo.EXACT),
        ("devices/interface[52%3A54%3A00%3A00%3A00%3A01]/bandwidth/outbound/@peak", "0", "9", Undo.EXACT),
        ("devices/memballoon/stats/@period", "0", "5", Undo.EXACT),
        ("vcpu/@current", "2", "1", Undo.NEEDS_GUEST),
    ],
)
def test_a_copy_keeps_what_its_live_xml_can_say(
    machine: Machine, path: str, before: str, value: str, undo: Undo
) -> None:
    tunable = LiveSetting("web", UUIDS[0], path)
    stored = machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    assert (tunable.read(machine), tunable.undo) == (before, undo)
    tunable.write(machine, value)
    assert tunable.verify(machine, value).state is State.HOLDS
    tunable.write(machine, before)
    assert tunable.read(machine) == before
    assert machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT) == stored


def test_a_copy_has_no_iothreads_to_answer_for_and_says_so(machine: Machine) -> None:
    tunable = LiveIothread("web", UUIDS[0], 3)
    assert tunable.read(machine) is None
    verdict = tunable.verify(machine, THERE)
    assert (verdict.state, "no QEMU" in verdict.reason) == (State.NOT_APPLICABLE, True)
    with pytest.raises(WriteFailed, match="no QEMU"):
        tunable.write(machine, THERE)


def test_a_recording_refuses_every_live_change(source: Path) -> None:
    machine = recorded(source)
    live = machine.libvirt.live
    setting = known("cputune/quota/text()").setting
    for change in (
        lambda: live.set_setting(UUIDS[0], setting, "50000"),
        lambda: live.add_iothread(UUIDS[0], 1),
        lambda: live.remove_iothread(UUIDS[0], 1),
        lambda: live.set_iothread(UUIDS[0], 1, "poll_max_ns", 0),
        lambda: live.update_device(UUIDS[0], "devices/disk[vda]", "<disk/>"),
    ):
        with pytest.raises(Refused, match="takes no writes"):
            change()
    with pytest.raises(NotAnswered):
        live.setting(UUIDS[0], known("cputune/shares/text()").setting)


def test_the_state_of_a_link_without_a_word_is_up(machine: Machine) -> None:
    link = LiveDevice("web", UUIDS[0], "devices/interface[vnet0]/link/@state")
    assert link.read(machine) == "up"
    link.write(machine, "down")
    assert link.verify(machine, "down").state is State.HOLDS
    link.write(machine, "up")
    assert link.read(machine) == "up"


@pytest.mark.parametrize(
    ("tunable", "value"),
    [
        (LiveSetting("web", UUIDS[0], "cputune/quota/text()"), None),
        (LiveSetting("web", UUIDS[0], "cputune/quota/text()"), "50000; reboot"),
        (LiveSetting("web", UUIDS[0], "cputune/quota/text()"), "999"),
        (LiveSetting("web", UUIDS[0], "vcpu/@current"), "0"),
        (LiveDevice("web", UUIDS[0], "devices/interface[vnet0]/link/@state"), None),
        (LiveDevice("web", UUIDS[0], "devices/interface[vnet0]/link/@state"), "sideways"),
        (LiveIothread("web", UUIDS[0], 1), "1"),
        (LiveIothread("web", UUIDS[0], 1, "poll_max_ns"), "-1"),
    ],
)
def test_what_is_no_value_of_it_is_refused_before_libvirt_is_asked(
    machine: Machine, tunable: LiveSetting | LiveDevice | LiveIothread, value: str | None
) -> None:
    live = machine.libvirt.xml(UUIDS[0], Layer.LIVE)
    with pytest.raises(Refused):
        tunable.write(machine, value)
    assert machine.libvirt.xml(UUIDS[0], Layer.LIVE) == live


@pytest.mark.parametrize(
    ("path", "value", "command"),
    [
        ("cputune/quota/text()", "50000", "virsh schedinfo web vcpu_quota=50000 --live"),
        ("memtune/hard_limit/text()", "4096", "virsh memtune web --hard-limit 4096 --live"),
        ("vcpu/@current", "2", "virsh setvcpus web 2 --live"),
        ("numatune/memory/@nodeset", "0-1", "virsh numatune web --nodeset 0-1 --live"),
        (
            "devices/disk[vda]/iotune/total_bytes_sec/text()",
            "7",
            "virsh blkdeviotune web vda --total-bytes-sec 7 --live",
        ),
        (
            "devices/interface[vnet0]/bandwidth/inbound/@burst",
            "7",
            "virsh domiftune web vnet0 --inbound AVERAGE,PEAK,7 --live",
        ),
    ],
)
def test_the_command_by_hand_is_virshs(path: str, value: str, command: str) -> None:
    assert LiveSetting("web", UUIDS[0], path).command(value) == command
