"""Every rule that fires on real guests and may be followed there is followed, seen in force, and taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kvmnb.advise.finding import Finding, Safety
from kvmnb.advise.intent import Goal
from kvmnb.advise.intent_file import read_intent
from kvmnb.apply.journal import Journal
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import State, Want
from kvmnb.verbs import Here, open_machine
from tests.advise.in_force import IN_FORCE, Qemu
from tests.advise.spoiled import SAID, options
from tests.lab.daemon import Lab
from tests.lab.domain import domain_xml
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

EXCUSED = {"cpu.kvm.accel": "the lab's daemon is kept from /dev/kvm"}
"""Rules that fire there and are not followed, and why."""

GUESTS_PART = {"disk.bus", "net.queues"}
"""Rules that the guest's own drivers have a part in: it must start from the new disk, and ask for its queues."""
SPOILED_FILES = {
    "/sys/kernel/mm/transparent_hugepage/enabled": "never",
    "/sys/kernel/mm/transparent_hugepage/defrag": "always",
    "/sys/kernel/mm/ksm/run": "1",
    "/proc/sys/vm/dirty_ratio": "60",
}
LOW = {"mem.writeback_dirty.host": 0}
"""Thresholds that also hear of a small machine."""


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
    met: set[tuple[str, str]] = set()
    for goal in Goal:
        new: dict[str, list[Finding]] = {}
        audit = here.audit(goal=goal.value)
        assert audit.conflicts == ()
        for one in audit.findings:
            key = (one.id, one.subject)
            if one.domain is None or one.safety is Safety.MANUAL or one.id in EXCUSED or key in met:
                continue
            met.add(key)
            new.setdefault(one.domain, []).append(one)
        follow(here, [(spoiled[name], findings) for name, findings in new.items()])
    # A rule that fires and is not here needs a way to see it in force, or an excuse.
    assert {name for name, _ in met} == set(IN_FORCE)
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
            one.domain.resume()
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
    """Give each guest a new QEMU, as the lab may with its own; it is held, or four starting systems fill the CPUs."""
    for one in guests:
        one.restart()
        one.domain.suspend()


def test_each_rule_that_fires_on_the_host_is_followed_seen_in_the_kernels_files_and_taken_back(
    lab: Lab, spoiled: dict[str, Guest], restore: Callable[..., None], tmp_path: Path
) -> None:
    remembered = set(SPOILED_FILES)
    restore(*remembered)
    for path, value in SPOILED_FILES.items():
        Path(path).write_text(value)
    stored = lab.connect().defineXML(
        domain_xml(f"stored-{lab.tag}", lab.root, domain=("<memoryBacking><hugepages/></memoryBacking>",))
    )
    stored.setAutostart(1)
    try:
        here = opened(lab, tmp_path)
        followed: set[str] = set()
        for goal in (Goal.BALANCED, Goal.LATENCY):
            for one in here.audit(goal=goal.value, thresholds=LOW).findings:
                if (
                    one.id not in followed
                    and one.domain is None
                    and one.safety is not Safety.MANUAL
                    and not excused(one)
                ):
                    # A path remembered twice would be put back to what this test spoiled it with.
                    new = {path for path in map(file_of, one.wants) if path is not None} - remembered
                    restore(*sorted(new))
                    remembered |= new
                    follow_on_the_host(here, one, spoiled)
                    followed.add(one.id)
        assert followed >= {"mem.hugepages.pool", "mem.ksm", "mem.thp", "mem.writeback_dirty"}
        here.machine.close()
    finally:
        stored.undefine()


def follow_on_the_host(here: Here, finding: Finding, guests: dict[str, Guest]) -> None:
    """Follow one finding until the next boot, look at the kernel's files and at new QEMUs, and take it back."""
    touched = [guests[want.tunable.target] for want in finding.wants if isinstance(want.tunable, DomainXml)]
    texts = [one.xml() for one in touched]
    before = [chosen(want) for want in finding.wants]
    asked = [want.value if file_of(want) is not None else ["mem-merge=off"] for want in finding.wants]
    assert [one for one, two in zip(before, asked, strict=True) if one == two] == []
    journal = here.apply(here.plan([finding], live_only=True), accept_disruptive=True, confirm_within=0)
    restart(touched)
    assert [
        (str(change.tunable), verdict) for change, verdict in here.verify(journal) if verdict.state is not State.HOLDS
    ] == []
    merging = [[word for word in Qemu(one).after("-machine")[0].split(",") if "mem-merge" in word] for one in touched]
    read = iter(merging)
    assert [chosen(want) if file_of(want) is not None else next(read) for want in finding.wants] == asked
    here.undo(journal)
    assert ([chosen(want) for want in finding.wants], [one.xml() for one in touched]) == (before, texts)


def file_of(want: Want) -> str | None:
    """The kernel's file of a host setting; None for a setting of a guest."""
    if isinstance(want.tunable, Sysctl):
        return f"/proc/sys/{want.tunable.key.replace('.', '/')}"
    return f"/sys/{want.tunable.path}" if isinstance(want.tunable, Sysfs) else None


def chosen(want: Want) -> str | None:
    """What the kernel's file says; of a list of choices the one in brackets."""
    path = file_of(want)
    if path is None:
        return None
    text = Path(path).read_text().strip()
    found = re.search(r"\[([^\]]+)\]", text)
    return found[1] if found else text


def excused(finding: Finding) -> bool:
    """Whether a kernel built so that the parameter is only read is the reason not to follow it."""
    files = [Path(path) for path in map(file_of, finding.wants) if path is not None]
    return finding.id == "kvm.halt_poll" and any(not path.stat().st_mode & 0o222 for path in files)
