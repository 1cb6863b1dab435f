"""A plan is applied whole or not at all, and taken back from its journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvmnb.advise.finding import Safety
from kvmnb.apply.journal import Journal
from kvmnb.apply.run import apply_plan, undo_plan, verify_changes
from kvmnb.apply.shelf import find, journals
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import ApplyFailed, DomainGone, NotTakenBack, Refused, StalePlan
from kvmnb.machine.hypervisor import Layer, Thread
from kvmnb.machine.machine import Machine
from kvmnb.machine.recording import ScratchHypervisor
from kvmnb.machine.sources import recorded, scratch
from kvmnb.plan.build import build
from kvmnb.plan.plan import Plan
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import State, Want
from tests.findings import a_finding
from tests.small_host import HOST_UUID, UUIDS, write_guest, write_host

EPP = Sysfs("devices/system/cpu/cpufreq/policy0/energy_performance_preference")
PIN = DomainXml("web", UUIDS[0], "cputune/vcpupin[0]/@cpuset")
LIVE = DomainLive("web", UUIDS[0], Thread.VCPU, 0)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    source = write_host(tmp_path / "recorded")
    write_guest(source, "web", 0)
    write_guest(source, "db", 1, running=False)
    return scratch(source, tmp_path / "copy")


def a_plan(machine: Machine, *wants: Want, safety: Safety = Safety.SAFE) -> Plan:
    chosen = wants or (Want(EPP, "performance"), Want(PIN, "1"), Want(LIVE, "1"))
    return build([a_finding(*chosen, safety=safety)], machine, HOST_UUID)


def snapshot(machine: Machine) -> dict[str, bytes]:
    folder = Path(machine.origin)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_apply_writes_all_and_undo_restores_every_byte_but_the_widened_live_pin(machine: Machine) -> None:
    before = snapshot(machine)
    plan = a_plan(machine)
    journal = apply_plan(plan, machine, HOST_UUID)
    assert [verdict.state for _, verdict in verify_changes(plan.changes, machine)] == [State.HOLDS] * 4
    assert machine.libvirt.pins(UUIDS[0]).vcpus[0] == CpuSet.of(1)
    undo_plan(Journal.load(journal.path), machine, HOST_UUID)
    after = snapshot(machine)
    live = f"libvirt/domains/{UUIDS[0]}/live.xml"
    assert {path for path in before if before[path] != after[path]} == {live}
    assert machine.libvirt.pins(UUIDS[0]).vcpus[0] == CpuSet.parse("0-3")
    assert find(journal.id).state == "undone"
    assert not find(journal.id).standing()


def test_the_journal_is_private_and_written_before_each_deed(machine: Machine, state: Path) -> None:
    journal = apply_plan(a_plan(machine), machine, HOST_UUID)
    assert [record.deed for record in journal.records] == ["open", *["write", "written"] * 4, "end"]
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700
    assert (state / "kvmnb").stat().st_mode & 0o777 == 0o700
    assert Journal.load(journal.path).problem() is None


def test_a_changed_byte_of_a_journal_is_named_and_stops_the_undo(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine), machine, HOST_UUID)
    opening, *rest = journal.path.read_text().splitlines(keepends=True)
    journal.path.write_text(opening + "".join(rest).replace('"after":"performance"', '"after":"power"'))
    changed = Journal.load(journal.path)
    assert "line 2 of" in (changed.problem() or "")
    before = snapshot(machine)
    with pytest.raises(Refused, match="was changed after it was written"):
        undo_plan(changed, machine, HOST_UUID)
    assert snapshot(machine) == before


def test_a_stale_plan_changes_nothing(machine: Machine) -> None:
    plan = a_plan(machine)
    EPP.write(machine, "power")
    before = snapshot(machine)
    with pytest.raises(StalePlan, match="was 'balance_power' when the plan was made and is 'power' now"):
        apply_plan(plan, machine, HOST_UUID)
    assert snapshot(machine) == before
    assert not list(journals())


def test_a_plan_is_applied_once(machine: Machine) -> None:
    plan = a_plan(machine)
    journal = apply_plan(plan, machine, HOST_UUID)
    undo_plan(journal, machine, HOST_UUID)
    with pytest.raises(Refused, match="was applied before"):
        apply_plan(plan, machine, HOST_UUID)


def test_a_plan_of_another_host_or_kind_of_machine_is_refused(machine: Machine, tmp_path: Path) -> None:
    plan = a_plan(machine)
    with pytest.raises(Refused, match="made on another host"):
        apply_plan(plan, machine, "11111111-2222-4333-8444-555555555555")
    with pytest.raises(Refused, match="takes no writes"):
        apply_plan(plan, recorded(tmp_path / "recorded"), HOST_UUID)
    machine.kind = "demo"
    with pytest.raises(Refused, match="made on a scratch machine and this is a demo one"):
        apply_plan(plan, machine, HOST_UUID)


def test_a_disruptive_plan_wants_the_word(machine: Machine) -> None:
    plan = a_plan(machine, safety=Safety.DISRUPTIVE)
    with pytest.raises(Refused, match="--accept-disruptive"):
        apply_plan(plan, machine, HOST_UUID)
    assert apply_plan(plan, machine, HOST_UUID, accept_disruptive=True).state == "applied"


def test_a_domain_that_went_or_was_made_anew_under_its_name_is_left_alone(machine: Machine) -> None:
    plan = a_plan(machine)
    folder = Path(machine.origin) / "libvirt/domains"
    (folder / UUIDS[0]).rename(folder.parent / "aside")
    before = snapshot(machine)
    with pytest.raises(DomainGone, match="'web' of the plan is not there any more"):
        apply_plan(plan, machine, HOST_UUID)
    write_guest(Path(machine.origin), "web", 4)
    after_creation = snapshot(machine)
    with pytest.raises(DomainGone, match="is another one now"):
        apply_plan(plan, machine, HOST_UUID)
    assert snapshot(machine) == after_creation
    assert before.items() <= after_creation.items()


class LivePinsRefused(ScratchHypervisor):
    """A hypervisor that keeps XML and refuses live pins, as a guest does whose QEMU is going down."""

    def pin(self, uuid: str, thread: Thread, number: int, cpus: CpuSet) -> None:
        from kvmnb.core.errors import KvmnbError

        raise KvmnbError("the guest is shutting down")


def test_a_step_that_fails_takes_all_others_back(machine: Machine) -> None:
    before = snapshot(machine)
    plan = a_plan(machine)
    machine.hypervisor = LivePinsRefused(Path(machine.origin) / "libvirt", machine.origin)
    with pytest.raises(ApplyFailed, match="shutting down; all that the plan had changed was taken back"):
        apply_plan(plan, machine, HOST_UUID)
    assert snapshot(machine) == before
    assert next(journals()).state == "rolled back"


def test_undo_leaves_alone_what_something_else_changed_unless_told(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, Want(EPP, "performance")), machine, HOST_UUID)
    EPP.write(machine, "power")
    with pytest.raises(StalePlan, match="something else changed it"):
        undo_plan(journal, machine, HOST_UUID)
    assert EPP.read(machine) == "power"
    undo_plan(journal, machine, HOST_UUID, take_drifted=True)
    assert EPP.read(machine) == "balance_power"


def test_undo_keeps_what_was_added_to_the_xml_meanwhile(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, Want(PIN, "1")), machine, HOST_UUID)
    text = machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    disk = "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio'/></disk>\n  </devices>"
    machine.libvirt.define(UUIDS[0], text.replace("</devices>", disk))
    undo_plan(journal, machine, HOST_UUID)
    now = machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    assert "cputune" not in now
    assert "target dev='vda'" in now


def test_a_live_pin_of_a_guest_that_stopped_counts_as_taken_back(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, Want(LIVE, "1")), machine, HOST_UUID)
    (Path(machine.origin) / "libvirt/domains" / UUIDS[0] / "live.xml").unlink()
    undo_plan(journal, machine, HOST_UUID)
    assert find(journal.id).state == "undone"


def test_a_journal_left_half_way_stops_the_next_plan_until_it_is_settled(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, Want(EPP, "performance")), machine, HOST_UUID)
    journal.path.write_text("".join(journal.path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(NotTakenBack, match="was left half-way"):
        apply_plan(a_plan(machine, Want(PIN, "1")), machine, HOST_UUID)
    undo_plan(find(journal.id), machine, HOST_UUID)
    assert EPP.read(machine) == "balance_power"
    apply_plan(a_plan(machine, Want(PIN, "1")), machine, HOST_UUID)


# It imports once: each place has a process of its own that is forked from it.
APPLIER = """
    import os, sys
    from pathlib import Path
    from kvmnb.machine.sources import scratch
    from kvmnb.apply import journal, run
    from kvmnb.plan.plan import from_text

    def count(function):
        def counted(*arguments, **named):
            global left
            if left == 0:
                os.kill(os.getpid(), 9)
            left -= 1
            return function(*arguments, **named)
        return counted

    for place in sys.stdin:
        child = os.fork()
        if not child:
            left = int(place)
            os.write, os.replace, os.fsync = count(os.write), count(os.replace), count(os.fsync)
            machine = scratch(sys.argv[1], into=sys.argv[1])
            run.apply_plan(from_text(Path(sys.argv[2]).read_bytes(), "plan"), machine, sys.argv[3])
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def applier(machine: Machine, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is told the place to be killed at, line by line, and answers how applying ended."""
    arguments = [machine.origin, str(tmp_path / "plan.json"), HOST_UUID]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(APPLIER), *arguments],
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.communicate(timeout=30)


def test_a_kill_between_any_two_writes_leaves_all_before_or_all_after_once_undone(
    machine: Machine, tmp_path: Path, applier: subprocess.Popen[str]
) -> None:
    """Every call of write, fsync and rename of the applier is a place to be killed at."""
    from kvmnb.core import codec
    from kvmnb.plan.plan import to_document

    before = snapshot(machine)
    live = f"libvirt/domains/{UUIDS[0]}/live.xml"
    killed = 0
    for place in range(60):
        plan = a_plan(machine)
        (tmp_path / "plan.json").write_text(codec.to_json(to_document(plan)))
        assert applier.stdin is not None and applier.stdout is not None
        applier.stdin.write(f"{place}\n")
        applier.stdin.flush()
        code = int(applier.stdout.readline())
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
        for journal in journals():
            if journal.state == "applied" and journal.standing():
                # Killed after the last record: all of it holds.
                assert all(verdict.state is State.HOLDS for _, verdict in verify_changes(plan.changes, machine))
            if journal.standing() or journal.state == "unfinished":
                undo_plan(journal, machine, HOST_UUID)
        after = snapshot(machine)
        changed = {path for path in before if before[path] != after.get(path)}
        assert changed <= {live}, f"killed at write {place}"
        assert machine.libvirt.pins(UUIDS[0]).vcpus[0] == CpuSet.parse("0-3")
    assert killed > 10


def test_a_record_is_one_json_line_that_a_person_can_read(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine, Want(EPP, "performance")), machine, HOST_UUID)
    lines = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert lines[1]["values"] == [{"tunable": str(EPP), "before": "balance_power", "after": "performance"}]
