"""Every rule that fires on real guests and may be followed there is followed, seen in force, and taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kvmnb.advise.finding import Finding, Safety
from kvmnb.advise.intent import Goal
from kvmnb.advise.intent_file import read_intent
from kvmnb.apply.journal import Journal
from kvmnb.tunable.tunable import State
from kvmnb.verbs import Here, open_machine
from tests.advise.in_force import IN_FORCE, Qemu
from tests.advise.spoiled import SAID, options
from tests.lab.daemon import Lab
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

EXCUSED = {"cpu.kvm.accel": "the lab's daemon is kept from /dev/kvm"}
"""Rules that fire there and are not followed, and why."""

GUESTS_PART = {"disk.bus", "net.queues"}
"""Rules that the guest's own drivers have a part in: it must start from the new disk, and ask for its queues."""


@pytest.fixture(scope="module")
def spoiled(lab: Lab) -> Iterator[dict[str, Guest]]:
    with ExitStack() as stack:
        found = {}
        for name, how in options(lab).items():
            one = Guest.start(lab, f"{name}-{lab.tag}", **how)
            stack.callback(one.remove)
            found[one.name] = one
        yield found


def test_each_rule_that_fires_on_guests_is_followed_seen_in_their_qemu_and_taken_back(
    lab: Lab, spoiled: dict[str, Guest], tmp_path: Path
) -> None:
    here = opened(lab, tmp_path)
    met: set[tuple[str, str, tuple[object, ...]]] = set()
    for goal in Goal:
        new: dict[str, list[Finding]] = {}
        audit = here.audit(goal=goal.value)
        assert audit.conflicts == ()
        for one in audit.findings:
            key = (one.id, one.subject, one.wants)
            if one.domain is None or one.safety is Safety.MANUAL or one.id in EXCUSED or key in met:
                continue
            met.add(key)
            new.setdefault(one.domain, []).append(one)
        follow(here, [(spoiled[name], findings) for name, findings in new.items()])
    # A rule that fires and is not here needs a way to see it in force, or an excuse.
    assert {name for name, _, _ in met} == set(IN_FORCE)
    here.machine.close()


def opened(lab: Lab, folder: Path) -> Here:
    """The lab with what a person says of its guests."""
    said = folder / "kvmnb.toml"
    said.write_text(SAID.format(tag=lab.tag))
    return Here(open_machine(uri=lab.uri), read_intent(config=said))


def follow(here: Here, asked: list[tuple[Guest, list[Finding]]]) -> None:
    """Follow the findings of each guest by one plan, look at its new QEMU, take the plan back, and look again."""
    texts = [one.xml() for one, _ in asked]
    before = [values(one, findings) for one, findings in asked]
    wanted = [wants(findings) for _, findings in asked]
    assert [one.keys() & two for one, two in zip(before, wanted, strict=True) if one.items() & two.items()] == []
    journals: list[Journal] = []
    for _, findings in asked:
        plan = here.plan(findings)
        assert plan.notes == ()
        journals.append(here.apply(plan, accept_disruptive=True, confirm_within=0))
    restart(one for one, _ in asked)
    for one, findings in asked:
        if GUESTS_PART & {finding.id for finding in findings}:
            one.wait_ready()
    for journal in journals:
        verdicts = here.verify(journal)
        assert [
            (str(change.tunable), verdict)
            for change, verdict in verdicts
            if verdict.state is not State.HOLDS or "restart" in verdict.reason
        ] == []
    assert [values(one, findings) for one, findings in asked] == wanted
    for journal in reversed(journals):
        here.undo(journal)
    assert [one.xml() for one, _ in asked] == texts
    restart(one for one, _ in asked)
    assert [values(one, findings) for one, findings in asked] == before


def values(guest: Guest, findings: Iterable[Finding]) -> dict[tuple[str, str], object]:
    """What the rules are about, as the guest's QEMU has it now."""
    qemu = Qemu(guest)
    return {(one.id, one.subject): IN_FORCE[one.id][0](qemu, one) for one in findings}


def wants(findings: Iterable[Finding]) -> dict[tuple[str, str], object]:
    """What it should be when they were followed."""
    return {(one.id, one.subject): IN_FORCE[one.id][1] for one in findings}


def restart(guests: Iterable[Guest]) -> None:
    """Give each guest a new QEMU, as the lab may with its own."""
    for one in guests:
        one.log.write_text("")
        one.domain.destroy()
        one.domain.create()
