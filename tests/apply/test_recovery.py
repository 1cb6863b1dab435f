"""What a stopped, starved or disturbed applier leaves is settled: all before or all after."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from kvmnb.apply.journal import Journal
from kvmnb.apply.run import apply_plan, resume_plan, undo_plan
from kvmnb.apply.shelf import Shelf, find
from kvmnb.core.errors import ApplyFailed, KvmnbError, NotTakenBack, Refused, StalePlan
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from tests.apply.killing import boundaries, killed
from tests.apply.test_run import EPP, PIN, a_plan, machine, state
from tests.apply.test_run import snapshot as every_file
from tests.small_host import HOST_UUID, UUIDS

__all__ = ["machine", "state"]

GOVERNOR = Sysfs("devices/system/cpu/cpufreq/policy0/scaling_governor")
EMULATOR = DomainXml("web", UUIDS[0], "cputune/emulatorpin/@cpuset")
LASTING = (Want(EPP, "performance"), Want(PIN, "1"), Want(EMULATOR, "0"))


def snapshot(machine: Machine) -> dict[str, bytes]:
    """All files but those that a scratch copy was putting in place when it was killed."""
    return {name: raw for name, raw in every_file(machine).items() if not Path(name).name.startswith(".")}


def half_done(machine: Machine, at: int) -> Journal | None:
    """A journal whose applier was killed at that boundary; None where it was killed before it had one."""
    plan = a_plan(machine, *LASTING)
    assert killed(lambda: apply_plan(plan, machine, HOST_UUID), at)
    return next((one for one in Shelf.own().journals() if one.id == plan.id), None)


def test_resume_goes_on_forward_after_a_kill_and_undo_takes_all_back(machine: Machine, tmp_path: Path) -> None:
    before = snapshot(machine)
    plan = a_plan(machine, *LASTING)
    count = boundaries(lambda: apply_plan(plan, machine, HOST_UUID), tmp_path / "count")
    after = snapshot(machine)
    undo_plan(find(plan.id), machine, HOST_UUID)
    assert snapshot(machine) == before
    for at in range(0, count, 5):
        journal = half_done(machine, at)
        if journal is None:
            assert snapshot(machine) == before
            continue
        if journal.state == "unfinished":
            resume_plan(journal, machine, HOST_UUID)
        assert journal.state == "applied"
        assert snapshot(machine) == after
        undo_plan(journal, machine, HOST_UUID)
        assert snapshot(machine) == before


def test_resume_takes_back_what_was_being_taken_back(machine: Machine, tmp_path: Path) -> None:
    before = snapshot(machine)
    journal = apply_plan(a_plan(machine, *LASTING), machine, HOST_UUID)
    assert killed(lambda: undo_plan(find(journal.id), machine, HOST_UUID), 8)
    left = find(journal.id)
    assert left.state == "unfinished"
    assert resume_plan(left, machine, HOST_UUID).state == "undone"
    assert snapshot(machine) == before


def test_a_settled_plan_is_not_resumed(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, *LASTING), machine, HOST_UUID)
    with pytest.raises(Refused, match="was not left half-way"):
        resume_plan(journal, machine, HOST_UUID)


def test_after_a_boot_undo_leaves_live_values_alone_and_takes_lasting_ones_back(machine: Machine) -> None:
    boot = Path(machine.origin) / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True, exist_ok=True)
    boot.write_text("11111111-1111-4111-8111-111111111111\n")
    journal = apply_plan(a_plan(machine, Want(EPP, "performance"), Want(PIN, "1")), machine, HOST_UUID)
    boot.write_text("22222222-2222-4222-8222-222222222222\n")
    xml = machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    assert "vcpupin" in xml
    undo_plan(journal, machine, HOST_UUID)
    assert EPP.read(machine) == "performance"
    assert "vcpupin" not in machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    ((names, why),) = journal.kept()
    assert names == (str(EPP),)
    assert "the host was booted since" in why
    assert journal.state == "undone"


def test_a_half_done_plan_is_taken_back_after_a_boot(machine: Machine, tmp_path: Path) -> None:
    boot = Path(machine.origin) / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True, exist_ok=True)
    boot.write_text("11111111-1111-4111-8111-111111111111\n")
    journal = half_done(machine, 24)
    assert journal is not None
    assert journal.state == "unfinished"
    boot.write_text("22222222-2222-4222-8222-222222222222\n")
    assert resume_plan(journal, machine, HOST_UUID).state == "rolled back"
    assert "vcpupin" not in machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)


def test_only_one_setting_of_a_domain_is_taken_back_and_the_rest_later(machine: Machine) -> None:
    before = snapshot(machine)
    journal = apply_plan(a_plan(machine, *LASTING), machine, HOST_UUID)
    undo_plan(journal, machine, HOST_UUID, only=[str(PIN)])
    now = machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    assert "vcpupin" not in now
    assert "<emulatorpin cpuset='0'/>" in now
    standing = {value.tunable for one in journal.standing() for value in one.values}
    assert str(PIN) not in standing
    assert {str(EPP), str(EMULATOR)} <= standing
    assert journal.state == "undone in part"
    with pytest.raises(Refused, match="is not among what stands"):
        undo_plan(journal, machine, HOST_UUID, only=[str(PIN)])
    undo_plan(journal, machine, HOST_UUID)
    assert snapshot(machine) == before


def test_every_changed_byte_of_a_journal_is_named_with_its_line(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, *LASTING), machine, HOST_UUID)
    whole = journal.path.read_bytes()
    for place in range(0, len(whole), 37):
        changed = bytearray(whole)
        changed[place] ^= 1
        journal.path.write_bytes(bytes(changed))
        line = whole[:place].count(b"\n") + 1
        try:
            said = Journal.load(journal.path).problem() or ""
        except KvmnbError as problem:
            said = str(problem)
        assert f"line {line} of" in said, (place, said)
    journal.path.write_bytes(whole)
    assert Journal.load(journal.path).problem() is None


def test_a_last_line_whose_end_was_changed_is_no_cut_line(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, *LASTING), machine, HOST_UUID)
    journal.path.write_bytes(journal.path.read_bytes()[:-1] + b"x")
    with pytest.raises(KvmnbError, match="was changed after it was written"):
        Journal.load(journal.path)


@pytest.mark.parametrize("room", [1200, 2600, 4200])
def test_a_full_disk_stops_the_plan_with_all_as_before(machine: Machine, room: int) -> None:
    """No file may grow beyond that size: the journal's next record fails as it would on a full disk."""
    before = snapshot(machine)
    plan = a_plan(machine, *LASTING)

    def starved() -> None:
        # A kernel without room sends this signal, and only a process that ignores it gets the error.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        with pytest.raises(KvmnbError) as caught:
            apply_plan(plan, machine, HOST_UUID)
        assert "the journal" in str(caught.value)

    assert not killed(starved, -1)
    assert snapshot(machine) == before
    for journal in Shelf.own().journals():
        if journal.state == "unfinished":
            resume_plan(journal, machine, HOST_UUID)
            undo_plan(journal, machine, HOST_UUID)
    assert snapshot(machine) == before


def test_two_appliers_at_once_are_one_applier_and_one_refusal(machine: Machine) -> None:
    plan = a_plan(machine, *LASTING)
    before = snapshot(machine)
    inside, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        with Shelf.own().alone("a test"):
            os.write(go, b"x")
            signal.pause()
    try:
        assert os.read(inside, 1) == b"x"
        with pytest.raises(Refused, match="another kvmnb applies or undoes a plan right now"):
            apply_plan(plan, machine, HOST_UUID)
        assert snapshot(machine) == before
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert apply_plan(plan, machine, HOST_UUID).state == "applied"


def test_what_drifted_is_named_and_nothing_else_is_taken_back(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, *LASTING), machine, HOST_UUID)
    EPP.write(machine, "power")
    now = snapshot(machine)
    with pytest.raises(StalePlan, match="set to 'performance' and is 'power' now"):
        undo_plan(journal, machine, HOST_UUID)
    assert snapshot(machine) == now


def test_another_plan_waits_until_a_half_done_one_is_settled(machine: Machine) -> None:
    journal = half_done(machine, 16)
    assert journal is not None
    with pytest.raises(NotTakenBack, match=f"kvmnb resume {journal.id}"):
        apply_plan(a_plan(machine, *LASTING), machine, HOST_UUID)


@pytest.mark.parametrize("number", ["EINVAL", "EBUSY", "EROFS"])
def test_a_kernel_that_refuses_is_quoted_and_all_is_taken_back(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    import errno

    from kvmnb.machine.scratch_files import ScratchFiles

    before = snapshot(machine)
    plan = a_plan(machine, Want(GOVERNOR, "performance"), Want(EPP, "performance"), Want(PIN, "1"))
    whole = ScratchFiles.write

    def refusing(self: ScratchFiles, path: str, value: str) -> None:
        if path.endswith("energy_performance_preference"):
            code = getattr(errno, number)
            raise OSError(code, os.strerror(code), path)
        whole(self, path, value)

    monkeypatch.setattr(ScratchFiles, "write", refusing)
    with pytest.raises(ApplyFailed, match="energy_performance_preference: the kernel refused it") as caught:
        apply_plan(plan, machine, HOST_UUID)
    assert os.strerror(getattr(errno, number)) in str(caught.value)
    assert snapshot(machine) == before
