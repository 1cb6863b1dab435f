"""Every rule is followed on a scratch machine, seen to be silent, and taken back; or it is by hand."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kvmnb.advise.finding import Finding
from kvmnb.advise.intent import Goal
from kvmnb.advise.registry import rule, rules
from kvmnb.machine.hypervisor import Layer, Pins
from kvmnb.tunable.tunable import State, When
from kvmnb.verbs import Here
from tests.advise import careless
from tests.advise.by_hand import BY_HAND
from tests.advise.test_following import valid

PINS = re.compile(rb"\s*<cputune>.*</cputune>", re.DOTALL)


def touched(finding: Finding) -> set[str]:
    """The guests that following a finding changes, and the host's settings."""
    return {getattr(want.tunable, "domain", str(want.tunable)) for want in finding.wants}


def turns(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """The findings in turns: in one turn no guest and no setting of the host is changed by two of them."""
    left = list(findings)
    while left:
        turn: list[Finding] = []
        for one in left:
            if not any(touched(one) & touched(other) for other in turn):
                turn.append(one)
        yield turn
        left = [one for one in left if one not in turn]


def gravest(turn: Sequence[Finding], domain: str | None) -> int:
    """The rank of the worst finding of a turn that touched this guest, or of all where none did."""
    ranks = [one.severity.rank for one in turn if domain in touched(one)]
    return min(ranks or [one.severity.rank for one in turn])


Stamp = tuple[int, int, int]


class Before:
    """A scratch machine as it was: every byte, and where each running guest's threads may run."""

    def __init__(self, here: Here) -> None:
        self.here = here
        self.folder = Path(here.machine.origin)
        self.stamps = self.stamped()
        self.files = {path: (self.folder / path).read_bytes() for path in self.stamps}
        self.pins = self.pinned()

    def stamped(self) -> dict[str, Stamp]:
        """When each file was written, which one it is, and how large: another where anybody wrote it since."""
        found = {}
        above = len(f"{self.folder}/")
        folders = [str(self.folder)]
        while folders:
            with os.scandir(folders.pop()) as inside:
                for one in inside:
                    if one.is_dir(follow_symlinks=False):
                        folders.append(one.path)
                    else:
                        stat = one.stat(follow_symlinks=False)
                        found[one.path[above:]] = stat.st_mtime_ns, stat.st_ino, stat.st_size
        return found

    def pinned(self) -> dict[str, Pins]:
        libvirt = self.here.machine.libvirt
        return {one.name: libvirt.pins(one.uuid) for one in libvirt.domains() if one.running}

    def assert_restored(self) -> None:
        """Every byte is back, and every live pin: libvirt cannot remove one, so it is widened to what held before."""
        assert self.pinned() == self.pins
        now = self.stamped()
        assert now.keys() == self.files.keys()
        for path in [path for path, stamp in now.items() if stamp != self.stamps[path]]:
            text = (self.folder / path).read_bytes()
            if text != self.files[path]:
                assert path.endswith("/live.xml"), path
                assert PINS.sub(b"", text) == PINS.sub(b"", self.files[path])
                self.put(path, self.files[path])
        self.stamps = self.stamped()

    def started_anew(self, names: set[str]) -> set[str]:
        """Give guests a power cycle, as far as their files go; the files of what ran, which are gone or others now."""
        found = set()
        for one in self.here.machine.libvirt.domains():
            if one.name in names and one.running:
                folder = f"libvirt/domains/{one.uuid}"
                self.put(f"{folder}/live.xml", (self.folder / folder / "inactive.xml").read_bytes())
                found.add(f"{folder}/live.xml")
                # Where the memory of a new process lies nobody has looked.
                if (memory := f"{folder}/memory.json") in self.files:
                    (self.folder / memory).unlink()
                    found.add(memory)
        return found

    def put(self, path: str, text: bytes) -> None:
        (self.folder / path).write_bytes(text)


def follow(before: Before, goal: Goal, turn: Sequence[Finding], findings: Sequence[Finding]) -> None:
    """Plan, apply, start anew what must be; then each is silent, nothing as grave is new, and undo restores all."""
    here = before.here
    plan = here.plan(turn)
    journal = here.apply(plan, accept_disruptive=True, confirm_within=0)
    assert [str(change.tunable) for change, verdict in here.verify(plan) if verdict.state is State.DIFFERS] == []
    for uuid in plan.domains.values():
        valid(here.machine.libvirt.xml(uuid, Layer.PERSISTENT))
    running = before.started_anew({name for one in turn if one.when is not When.NOW for name in touched(one)})
    after = here.audit(goal=goal.value).findings
    left = {(one.id, one.subject) for one in after}
    assert [one.saw for one in turn if (one.id, one.subject) in left] == []
    known = {(one.id, one.domain) for one in findings}
    new = [one for one in after if (one.id, one.domain) not in known]
    assert [(one.id, one.subject, one.saw) for one in new if one.severity.rank <= gravest(turn, one.domain)] == []
    for path in running:
        before.put(path, before.files[path])
    here.undo(journal)
    before.assert_restored()


def follow_all(here: Here, known: set[str]) -> set[str]:
    """Follow each rule once that wants something under some goal and is not known; the rules that were followed."""
    before = Before(here)
    followed: set[str] = set()
    for goal in Goal:
        findings = here.audit(goal=goal.value).findings
        new = {one.id: one for one in reversed(findings) if one.wants and one.id not in followed | known}
        for turn in turns(list(new.values())):
            follow(before, goal, turn, findings)
        followed |= set(new)
    return followed


def test_each_rule_is_followed_on_a_scratch_machine_and_taken_back_or_is_by_hand(tmp_path: Path) -> None:
    followed: set[str] = set()
    for name, files in careless.HOSTS.items():
        here = careless.a_careless_host(tmp_path / name, careless.guests().values(), files)
        followed |= follow_all(here, followed)
    assert followed == {one.id for one in rules()} - set(BY_HAND)


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_a_rule_that_is_by_hand_makes_no_finding_that_could_be_followed(name: str) -> None:
    """Each finding that its file makes is MANUAL and wants nothing, and none is made for it elsewhere."""
    module = sys.modules[rule(name).module]
    calls = [one for one in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(one, ast.Call)]
    made = [{word.arg: word.value for word in one.keywords} for one in calls if ast.unparse(one.func) == "Seen"]
    assert made
    for words in made:
        assert ast.unparse(words["safety"]) == "Safety.MANUAL"
        assert "wants" not in words
    borrowed = [one for one in vars(module).values() if inspect.isfunction(one) and one.__module__ != module.__name__]
    assert not [one.__name__ for one in borrowed if re.search(r"\bSeen\(", inspect.getsource(one))]
