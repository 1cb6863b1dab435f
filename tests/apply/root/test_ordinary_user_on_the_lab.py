"""An ordinary user in group libvirt tunes a guest and the host from the form; sudo lets kvmnb-root alone through."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.lab.daemon import Lab
from tests.lab.guest import Guest
from tests.lab.ordinary import OrdinaryUser, ordinary_user

pytestmark = pytest.mark.lab

SWAPPINESS = Path("/proc/sys/vm/swappiness")
STATE = Path("/var/lib/kvmnb/journal")

# The form's own chain over a finding made by hand: a pin of the guest, and a setting of the host, live and lasting.
FORM = """
import json, sys
from dataclasses import replace
import kvmnb.verbs
from kvmnb.show.forms.tune import TuneForm
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want
from tests.findings import a_finding

name, uuid, uri, value = json.loads(sys.stdin.read())
live = Sysctl("vm.swappiness")
wants = [Want(live, value), live.lasting(value), Want(DomainXml(name, uuid, "cputune/vcpupin[0]/@cpuset"), "0")]

class Here(kvmnb.verbs.Here):
    def audit(self, *domains, **choice):
        chosen = replace(a_finding(*(one for one in wants if one)), domain=name, subject=f"domain/{name}")
        return replace(super().audit(*domains, rules=("cpu.mode",)), findings=(chosen,))

here = Here(kvmnb.verbs.open_machine(uri=uri), kvmnb.verbs.read_intent())
form = TuneForm(here, (name,))
plan = form.state.plan
"""
APPLY = (
    FORM
    + """
form.apply.click()
form.wait(120)
outcome = form.result
print(json.dumps({
    "ok": outcome.ok, "said": outcome.sentence, "id": outcome.journal_id,
    "tunables": [str(one.tunable) for one in plan.changes],
    "states": [verdict.state.value for _, verdict in outcome.verdicts],
    "commands": list(plan.commands),
}))
"""
)
UNDO = (
    FORM
    + """
form.undo.click()
form.wait(120)
print(json.dumps({"ok": form.result.ok, "said": form.result.sentence, "id": form.result.journal_id}))
"""
)


KILLED = APPLY.replace(
    "form.apply.click()",
    "import os, kvmnb.machine.connection as c\n"
    "c.Connection.define = lambda *words, **more: os.kill(os.getpid(), 9)\n"
    "form.apply.click()",
)
GUARDED = (
    FORM
    + """
import os
journal = here.apply(plan, confirm_within=SECONDS)
print(json.dumps({"id": journal.id, "state": journal.state}), flush=True)
os.kill(os.getpid(), 9)
"""
)


@pytest.fixture(scope="module")
def user(lab: Lab) -> Iterator[OrdinaryUser]:
    with ordinary_user(lab) as made:
        yield made


@pytest.fixture
def no_trace() -> Iterator[None]:
    """What kvmnb-root journals and keeps during a test is removed again, file by file, also where the test fails."""
    files = own_files()
    before = set(STATE.iterdir()) if STATE.is_dir() else set()
    there = [folder for folder in (STATE, STATE.parent) if folder.is_dir()]
    yield
    for name in set(own_files()) - set(files):
        Path(name).unlink()
    for path in set(STATE.iterdir()) - before if STATE.is_dir() else ():
        path.unlink()
    for folder in (STATE, STATE.parent):
        if folder not in there and folder.is_dir():
            folder.rmdir()


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def own_files() -> dict[str, bytes]:
    """Every file that kvmnb keeps in the host's own configuration."""
    return {
        str(path): path.read_bytes() for path in Path("/etc").glob("*.d/*kvmnb*") if path.parent.name != "sudoers.d"
    }


def asked(user: OrdinaryUser, document: object) -> subprocess.CompletedProcess[str]:
    """What kvmnb-root answers this user through sudo."""
    return user.run(["sudo", "-n", str(user.program)], stdin=json.dumps(document))


def test_the_form_changes_a_guest_and_the_host_and_takes_both_back(
    user: OrdinaryUser, lab: Lab, guest: Callable[..., Guest], restore: Callable[..., None], no_trace: None
) -> None:
    restore(SWAPPINESS)
    one = guest(system=False)
    xml, swappiness, files = one.xml(), SWAPPINESS.read_bytes(), own_files()
    value = "11" if swappiness.strip() != b"11" else "12"
    told = json.dumps([one.name, one.uuid, lab.uri, value])

    applied = answer(user.python_says(APPLY, stdin=told))
    assert applied["ok"], applied
    assert SWAPPINESS.read_text().strip() == value
    assert "cpuset='0'" in one.xml()
    assert applied["states"] == ["holds"] * 3, applied
    (kept,) = set(own_files()) - set(files)
    assert f"vm.swappiness = {value}" in Path(kept).read_text()
    journal = STATE / f"{applied['id']}.jsonl"
    opening = json.loads(journal.read_text().splitlines()[0])["opening"]
    assert (opening["plan"], opening["owner"]) == (applied["id"], user.uid)
    assert (journal.stat().st_uid, journal.stat().st_mode & 0o777, STATE.stat().st_mode & 0o777) == (0, 0o600, 0o700)

    undone = answer(user.python_says(UNDO, stdin=told))
    assert undone["ok"], undone
    assert undone["id"] == applied["id"]
    assert (one.xml(), SWAPPINESS.read_bytes(), own_files()) == (xml, swappiness, files)


@dataclass(frozen=True)
class Both:
    """A guest and the host, and what a plan of both is told."""

    one: Guest
    told: str
    value: str
    before: tuple[object, ...]

    def now(self) -> tuple[object, ...]:
        return self.one.xml(), SWAPPINESS.read_bytes(), own_files()

    @property
    def after(self) -> tuple[bool, bool, bool]:
        """Whether the guest's XML, the host's live setting and its lasting one are the plan's."""
        pinned, live = "cpuset='0'" in self.one.xml(), SWAPPINESS.read_text().strip() == self.value
        return pinned, live, own_files() != self.before[2]


@pytest.fixture
def both(lab: Lab, guest: Callable[..., Guest], restore: Callable[..., None], no_trace: None) -> Both:
    restore(SWAPPINESS)
    one = guest(system=False)
    value = "11" if SWAPPINESS.read_text().strip() != "11" else "12"
    made = Both(one, json.dumps([one.name, one.uuid, lab.uri, value]), value, ())
    return replace(made, before=made.now())


def cli(user: OrdinaryUser, *words: str) -> subprocess.CompletedProcess[str]:
    return user.run([user.python, "-m", "kvmnb.cli", *words])


def test_a_guest_half_that_fails_takes_the_host_half_back(user: OrdinaryUser, both: Both) -> None:
    """The definition of the guest's XML fails after kvmnb-root has written the host's settings."""
    failing = APPLY.replace(
        "form.apply.click()",
        "import kvmnb.machine.connection as c\n"
        "from kvmnb.core.errors import WriteFailed\n"
        "def refuse(*words, **more): raise WriteFailed('libvirt refused the definition')\n"
        "c.Connection.define = refuse\n"
        "form.apply.click()",
    )
    failed = answer(user.python_says(failing, stdin=both.told))
    assert not failed["ok"]
    assert "refused the definition" in failed["said"]
    assert both.now() == both.before
    ended = [json.loads(path.read_text().splitlines()[-1])["word"] for path in STATE.glob("*.jsonl")]
    assert "undone" in ended


@pytest.mark.parametrize("verb", ["undo", "resume"])
def test_a_kill_between_the_halves_is_settled_for_both(user: OrdinaryUser, both: Both, verb: str) -> None:
    killed = user.python_says(KILLED, stdin=both.told)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert both.after == (False, True, True)
    settled = cli(user, verb)
    assert settled.returncode == 0, settled.stderr
    if verb == "resume":
        assert both.after == (True, True, True)
        assert cli(user, "undo").returncode == 0
    assert both.now() == both.before


def test_a_part_of_the_hosts_half_is_taken_back_alone(user: OrdinaryUser, both: Both) -> None:
    applied = answer(user.python_says(APPLY, stdin=both.told))
    assert both.after == (True, True, True), applied
    undone = cli(user, "undo", "--only", "sysctl_file:host:vm.swappiness")
    assert undone.returncode == 0, undone.stderr
    assert both.after == (True, True, False)
    assert cli(user, "undo").returncode == 0
    assert both.now() == both.before


def test_the_hosts_half_is_taken_back_where_the_callers_journal_is_lost(user: OrdinaryUser, both: Both) -> None:
    killed = user.python_says(KILLED, stdin=both.told)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (mine,) = (path for path in (user.folder / "state/kvmnb/journal").glob("*.jsonl") if (STATE / path.name).exists())
    mine.unlink()
    undone = cli(user, "undo", mine.stem)
    assert (undone.returncode, "2 host settings" in undone.stdout) == (0, True), undone.stderr
    assert both.now() == both.before


def test_what_nobody_confirms_is_taken_back_in_both_halves_though_its_applier_was_killed(
    user: OrdinaryUser, both: Both
) -> None:
    killed = user.python_says(GUARDED.replace("SECONDS", "6"), stdin=both.told)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    found = answer(killed)
    assert found["state"] == "waiting"
    assert both.after == (False, True, False)
    journal = STATE / f"{found['id']}.jsonl"
    mine = user.folder / "state/kvmnb/journal" / journal.name
    until = time.monotonic() + 90
    while not all('"word":"reverted"' in path.read_text() for path in (journal, mine)):
        assert time.monotonic() < until, (journal.read_text(), mine.read_text())
        time.sleep(0.2)
    assert both.now() == both.before
    late = cli(user, "confirm", found["id"])
    assert (late.returncode, "it is reverted" in late.stderr) == (1, True)


def test_what_is_confirmed_gets_its_lasting_part_in_both_halves(user: OrdinaryUser, both: Both) -> None:
    found = answer(user.python_says(GUARDED.replace("SECONDS", "120"), stdin=both.told))
    assert both.after == (False, True, False)
    confirmed = cli(user, "confirm", found["id"])
    assert confirmed.returncode == 0, confirmed.stderr
    assert both.after == (True, True, True)
    assert cli(user, "undo", found["id"]).returncode == 0
    assert both.now() == both.before


def test_without_kvmnb_root_the_commands_are_told_and_nothing_is_changed(
    user: OrdinaryUser, lab: Lab, guest: Callable[..., Guest], no_trace: None
) -> None:
    one = guest(system=False)
    xml, swappiness = one.xml(), SWAPPINESS.read_bytes()
    told = json.dumps([one.name, one.uuid, lab.uri, "13"])
    # Another program than the one that sudo lets this user run.
    refused = answer(user.python_says(APPLY, stdin=told, KVMNB_ROOT="/usr/bin/id"))
    assert not refused["ok"]
    assert "kvmnb-root was not reached" in refused["said"]
    assert "sysctl -w vm.swappiness=13" in refused["said"]
    assert (one.xml(), SWAPPINESS.read_bytes()) == (xml, swappiness)


@pytest.mark.parametrize(
    ("tunable", "value"),
    [
        ("sysctl:host:kernel.core_pattern", "|/tmp/evil"),
        ("sysctl:host:vm.swappiness", "201"),
        ("sysfs:host:../etc/passwd", "x"),
        ("domain_xml:web:vcpu/text()", "1"),
    ],
)
def test_what_is_in_no_allow_list_is_refused_by_the_installed_program(
    user: OrdinaryUser, tunable: str, value: str, no_trace: None
) -> None:
    change = {"tunable": tunable, "before": None, "after": value}
    request = {"schema": "kvmnb.root/1", "verb": "apply", "id": "20260131T235959-4f1c", "changes": [change]}
    done = asked(user, request)
    assert done.returncode == 2, done.stderr
    assert (answer(done)["ok"], answer(done)["error"]) == (False, "Refused")
    assert not (STATE / "20260131T235959-4f1c.jsonl").exists()


def test_sudo_lets_nothing_else_through(user: OrdinaryUser) -> None:
    guard = str(user.program.with_name("kvmnb-root-guard"))
    for words in (["id"], ["sh", "-c", "id"], [str(user.program), "--check"], [guard, "x", "1", "session"]):
        done = user.run(["sudo", "-n", *words])
        assert (done.returncode, done.stdout) == (1, ""), words


def test_the_program_refuses_a_library_that_others_could_have_written(user: OrdinaryUser) -> None:
    path = user.program.parent / "lib/kvmnb/__init__.py"
    mode = path.stat().st_mode & 0o777
    try:
        path.chmod(0o666)
        done = asked(user, {"schema": "kvmnb.root/1", "verb": "verify"})
    finally:
        path.chmod(mode)
    assert done.returncode == 2
    assert "can be written by others than root" in answer(done)["said"]
    assert answer(asked(user, {"schema": "kvmnb.root/1", "verb": "verify"}))["ok"]


def test_root_alone_reads_where_a_guests_memory_lies(user: OrdinaryUser, guest: Callable[..., Guest]) -> None:
    one = guest(system=False)
    found = answer(asked(user, {"schema": "kvmnb.root/1", "verb": "verify", "guests": [one.uuid]}))["memory"]
    assert [(each["uuid"], each["pid"]) for each in found] == [(one.uuid, one.pid)]
    assert "Rss:" in found[0]["smaps_rollup"]
    assert user.run(["cat", f"/proc/{one.pid}/smaps_rollup"]).returncode != 0
