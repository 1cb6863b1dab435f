"""Images of a guest that is shut off: there, and held by nobody else."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.plan.check import Outcome
from kvmnb.plan.edited import EditedDomain
from kvmnb.plan.images import images
from tests.builders import a_domain


@pytest.fixture
def machine() -> Machine:
    return Machine("live", "this host", "qemu:///system", None, Files(Path("/")))


def a_disk(path: Path, inside: str = "") -> str:
    return (
        f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{path}'/>"
        f"<target dev='vda' bus='virtio'/>{inside}</disk>"
    )


def asked(machine: Machine, devices: str, *others: str, running: bool = False) -> list[tuple[Outcome, str]]:
    guest = a_domain("db", running=running, devices=devices)
    beside = [a_domain(f"other{number}", devices=text) for number, text in enumerate(others)]
    edited = EditedDomain(guest, "", "", guest.wanted, guest.wanted)
    return [(check.outcome, check.said) for check in images(edited, machine, [guest, *beside])]


def test_an_image_that_is_there_and_free_passes(machine: Machine, tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(b"0")
    assert [one for one, _ in asked(machine, a_disk(image))] == [Outcome.PASSED]


def test_an_image_that_is_missing_is_told(machine: Machine, tmp_path: Path) -> None:
    assert [one for one, _ in asked(machine, a_disk(tmp_path / "gone.raw"))] == [Outcome.TOLD]


def test_an_image_that_a_running_guest_writes_is_told(machine: Machine, tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(b"0")
    ((outcome, said),) = asked(machine, a_disk(image), a_disk(image))
    assert outcome is Outcome.TOLD and "'other0'" in said
    shared = "<shareable/>"
    assert [one for one, _ in asked(machine, a_disk(image, shared), a_disk(image, shared))] == [Outcome.PASSED]


def test_an_image_that_another_process_locks_is_told(machine: Machine, tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(b"0")
    descriptor = os.open(image, os.O_RDWR)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        if not machine.tree.read("proc/locks"):
            pytest.skip("this kernel shows no locks")
        found = asked(machine, a_disk(image))
    finally:
        os.close(descriptor)
    assert [one for one, _ in found] == [Outcome.TOLD], found
    assert "locked by another process" in found[0][1]


def test_a_running_guest_holds_its_own_images_so_nothing_is_asked(machine: Machine, tmp_path: Path) -> None:
    assert asked(machine, a_disk(tmp_path / "gone.raw"), running=True) == []


def test_a_recording_is_not_asked(tmp_path: Path) -> None:
    recorded = Machine("recorded", "a recording", "folder", None, Files(tmp_path))
    assert asked(recorded, a_disk(tmp_path / "gone.raw")) == []
