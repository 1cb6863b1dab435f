"""A guarded plan stands only if it is confirmed in time, whatever becomes of the process that applied it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kvmnb.apply import guard, trial
from kvmnb.apply.journal import Journal
from kvmnb.apply.opening import Terms
from kvmnb.apply.run import apply_plan, confirm_plan, resume_plan, undo_plan
from kvmnb.apply.shelf import Shelf
from kvmnb.core.errors import ApplyFailed, NotConfirmed, NotTakenBack, Refused
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import scratch
from kvmnb.plan.build import build
from kvmnb.plan.plan import Plan
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from tests.findings import a_finding
from tests.small_host import HOST_UUID, UUIDS, write_guest, write_host

EPP = Sysfs("devices/system/cpu/cpufreq/policy0/energy_performance_preference")
PIN = DomainXml("web", UUIDS[0], "cputune/vcpupin[0]/@cpuset")
SHORT, LONG = 2, 120


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    source = write_host(tmp_path / "recorded")
    write_guest(source, "web", 0)
    return scratch(source, tmp_path / "copy")


def a_plan(machine: Machine) -> Plan:
    return build([a_finding(Want(EPP, "performance"), Want(PIN, "1"))], machine, HOST_UUID)


def apply(machine: Machine, seconds: int) -> Journal:
    return apply_plan(a_plan(machine), machine, HOST_UUID, terms=Terms(seconds))


def values(machine: Machine) -> tuple[str | None, str | None]:
    return EPP.read(machine), PIN.read(machine)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what another process does; the limit only ends a test that has failed."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


BEFORE, LIVE, AFTER = ("balance_power", None), ("performance", None), ("performance", "1")


def test_what_lasts_is_written_only_when_it_is_confirmed(machine: Machine) -> None:
    assert values(machine) == BEFORE
    journal = apply(machine, LONG)
    assert (values(machine), journal.state) == (LIVE, "waiting")
    watching = guard.watching(journal.path)
    assert watching is not None
    assert os.getsid(watching.pid) != os.getsid(0)
    confirm_plan(journal, machine, HOST_UUID)
    assert (values(machine), journal.state, trial.outcome(journal)) == (AFTER, "applied", "applied")
    confirm_plan(journal, machine, HOST_UUID)
    eventually(lambda: guard.watching(journal.path) is None)
    undo_plan(journal, machine, HOST_UUID)
    assert values(machine) == BEFORE


def test_a_plan_that_nobody_confirms_is_taken_back_and_cannot_be_confirmed_late(machine: Machine) -> None:
    journal = apply(machine, SHORT)
    assert trial.outcome(journal) == "reverted"
    assert values(machine) == BEFORE
    eventually(lambda: guard.watching(journal.path) is None)
    with pytest.raises(NotConfirmed, match="it is reverted"):
        confirm_plan(journal, machine, HOST_UUID)
    assert journal.problem() is None


def test_a_guard_whose_applier_was_killed_takes_the_plan_back(machine: Machine, tmp_path: Path) -> None:
    """The applier leads a session of its own, and all of that session is killed, as when a link dies."""
    code = f"""
import os, signal
from kvmnb.machine.sources import scratch
from tests.apply.test_guard import apply
machine = scratch({machine.origin!r}, into={machine.origin!r})
apply(machine, {SHORT})
os.killpg(0, signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], start_new_session=True, check=False)
    assert done.returncode == -signal.SIGKILL
    (journal,) = Shelf.own().journals()
    assert trial.outcome(journal) == "reverted"
    assert values(machine) == BEFORE


def test_undo_settles_a_guarded_plan_before_its_time(machine: Machine) -> None:
    journal = apply(machine, LONG)
    undo_plan(journal, machine, HOST_UUID)
    assert (values(machine), journal.state) == (BEFORE, "undone")
    eventually(lambda: guard.watching(journal.path) is None)
    with pytest.raises(NotConfirmed, match="it is undone"):
        confirm_plan(journal, machine, HOST_UUID)


@pytest.mark.parametrize(("settle", "state"), [(undo_plan, "undone"), (resume_plan, "reverted")])
def test_a_plan_whose_guard_was_killed_is_named_and_settled_by_hand(
    machine: Machine, settle: Callable[..., object], state: str
) -> None:
    journal = apply(machine, SHORT)
    watching = guard.watching(journal.path)
    assert watching is not None
    os.kill(watching.pid, signal.SIGKILL)
    eventually(lambda: guard.watching(journal.path) is None)
    with pytest.raises(NotTakenBack, match="waits to be confirmed"):
        apply(machine, SHORT)
    with pytest.raises(NotTakenBack, match=r"the guard of plan .* was stopped"):
        trial.outcome(journal)
    assert values(machine) == LIVE
    with pytest.raises(NotConfirmed, match=r"the time of plan .* is over"):
        confirm_plan(journal, machine, HOST_UUID)
    settle(journal, machine, HOST_UUID)
    assert (values(machine), journal.state) == (BEFORE, state)


def test_nothing_is_written_where_no_guard_comes_up(machine: Machine) -> None:
    watchman = trial.Watchman(("/bin/false",), {})
    with pytest.raises(ApplyFailed, match="did not start"):
        apply_plan(a_plan(machine), machine, HOST_UUID, terms=Terms(LONG), watchman=watchman)
    (journal,) = Shelf.own().journals()
    assert (values(machine), journal.state) == (BEFORE, "rolled back")


def test_a_plan_without_a_guard_has_nothing_to_confirm(machine: Machine) -> None:
    journal = apply_plan(a_plan(machine), machine, HOST_UUID)
    with pytest.raises(Refused, match="without a guard"):
        confirm_plan(journal, machine, HOST_UUID)


@pytest.mark.parametrize("seconds", [1, 4, 3601, -1])
def test_a_time_that_nobody_could_keep_is_refused(seconds: int) -> None:
    with pytest.raises(Refused, match="within 5 to 3600 seconds"):
        guard.refuse_seconds(seconds)
