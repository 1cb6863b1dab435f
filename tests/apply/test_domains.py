"""Plans over every domain XML of the corpora: nothing else differs, what was valid stays so, undo is exact."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path as FilePath

import pytest
from lxml import etree

from kvmnb.advise.intent_file import read_intent
from kvmnb.advise.registry import audit
from kvmnb.apply import landing
from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.core.xml import Document, Path, Reversal, edit, encode, revert
from kvmnb.facts.host import Host
from kvmnb.machine.deadline import within
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.sources import recorded
from kvmnb.plan.build import build
from kvmnb.plan.check import Outcome
from kvmnb.plan.command_line import command_line
from kvmnb.plan.definition import definition, rewritten
from kvmnb.probe.domains import probe_domains
from kvmnb.probe.survey import probe
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.verbs import with_domains
from tests.apply.domain_plans import KINDS, Wanted, plans
from tests.apply.embedded import Embedded, as_planned, changed_places, foretold
from tests.core.xml.corpora import DomainFile, domain_files, needs_corpora
from tests.core.xml.test_corpora import schema_of, without_touched

pytestmark = needs_corpora

HOSTS = FilePath(__file__).parent.parent / "hosts"
EVERYTHING = "all that fires"


@dataclass
class Tally:
    """What was seen, counted."""

    plans: int = 0
    valid: int = 0
    lines: int = 0
    lines_elsewhere: int = 0
    defined: int = 0
    undone: int = 0
    by_plan: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """Where libvirt does not define it any more."""
    changed: list[str] = field(default_factory=list)
    """Where libvirt changed something beside the plan, so that apply would take it back."""
    foretold: list[str] = field(default_factory=list)
    """Those of them that the preflight stops, with each place that libvirt changes."""


@cache
def host() -> Host:
    """The facts of a recorded host, read once."""
    return probe(recorded(HOSTS / "2-nodes-24-cpus-smt")).host


def firing(file: DomainFile, folder: FilePath) -> Wanted:
    """What all rules want of the domain on a recorded host, as `kvmnb plan --domain-xml FILE --all` has it."""
    path = folder / "domain.xml"
    path.write_bytes(file.raw)
    try:
        machine = with_domains(recorded(HOSTS / "2-nodes-24-cpus-smt"), [path])
        plan = build(audit(host(), probe_domains(machine), read_intent()).followed, machine, None)
    except KvmnbError:
        # A template or a fragment, whose refusal has tests of its own.
        return []
    return [(one.tunable.path, one.after) for one in plan.changes if isinstance(one.tunable, DomainXml)]


def some_files(count: int, seed: int) -> list[DomainFile]:
    """So many files, and as many more as it takes to try every kind of plan."""
    chosen: list[DomainFile] = []
    missing = set(KINDS)
    for file in random.Random(seed).sample(domain_files(), len(domain_files())):
        fresh = missing.intersection(plans(Document.parse(file.text).root))
        if len(chosen) < count or fresh:
            chosen.append(file)
            missing -= fresh
        elif not missing:
            break
    return chosen


def judge(files: Iterable[DomainFile], libvirt: Embedded, folder: FilePath) -> Tally:
    """Try every plan on every file and count what came of it."""
    tally = Tally()
    schemas = [schema_of(version, folder / version) for version in ("9.0.0", "11.3.0")]
    for file in files:
        assert encode(edit(file.text, [], DOMAIN).text, file.encoding) == file.raw, file.name
        valid = [schema.validate(_tree(file.raw)) for schema in schemas]
        settled = _settled(libvirt, file.text)
        tried = plans(Document.parse(file.text).root)
        tried[EVERYTHING] = firing(file, folder)
        for name, wanted in tried.items():
            if wanted:
                tally.by_plan[name] += 1
                _judge_one(tally, f"{file.name}, {name}", file, wanted)
                _judge_schema(tally, f"{file.name}, {name}", file, wanted, schemas, valid)
                if settled is not None:
                    _judge_define(tally, f"{file.name}, {name}", settled, wanted, libvirt)
    return tally


def _judge_one(tally: Tally, name: str, file: DomainFile, wanted: Wanted) -> None:
    edited = edit(file.text, _paths(wanted), DOMAIN)
    tally.plans += 1
    if revert(edited.text, edited.reversal, DOMAIN) != file.text:
        tally.wrong.append(f"{name}: the undo is not exact")
    if without_touched(file.text, edited.reversal) != without_touched(edited.text, edited.reversal):
        tally.wrong.append(f"{name}: something else differs")
    spans = _touched_lines(file.text, edited.reversal)
    for line in _removed(file.text, edited.text):
        tally.lines += 1
        tally.lines_elsewhere += line not in spans


def _judge_schema(
    tally: Tally,
    name: str,
    file: DomainFile,
    wanted: Wanted,
    schemas: Sequence[etree.RelaxNG],
    valid: Sequence[bool],
) -> None:
    raw = encode(edit(file.text, _paths(wanted), DOMAIN).text, file.encoding)
    for schema, before in zip(schemas, valid, strict=True):
        if before:
            tally.valid += 1
            if not schema.validate(_tree(raw)):
                tally.wrong.append(f"{name}: not valid any more: {schema.error_log.last_error}")


def _judge_define(tally: Tally, name: str, settled: str, wanted: Wanted, libvirt: Embedded) -> None:
    """What libvirt printed, edited, defined, read back, undone, defined: it is what libvirt printed."""
    tally.defined += 1
    edited = edit(settled, _paths(wanted), DOMAIN)
    after = libvirt.defined(edited.text)
    if after is None:
        tally.missed.append(f"{name}: {libvirt.said}")
        check = command_line(as_planned(settled, edited.text), libvirt.machine).check
        if check.outcome is not Outcome.STOPS or libvirt.said not in check.said:
            tally.wrong.append(f"{name}: not defined ({libvirt.said}), and the preview says {check.said}")
        return
    whole = landing.beside(settled, edited.reversal, after)
    changed = changed_places(edited, after, whole)
    planned = as_planned(settled, edited.text)
    told = {one.path for one in rewritten(planned.after)} - {one.path for one in rewritten(planned.before)}
    if changed:
        tally.changed.append(f"{name}: {', '.join(sorted(changed))}")
    if foretold(told, changed) and (not told or definition(planned).outcome is Outcome.STOPS):
        tally.foretold.extend(tally.changed[-1:] if changed else ())
    else:
        tally.wrong.append(f"{name}: libvirt changes {changed}, and the preview says {told}")
    if libvirt.defined(revert(after, whole, DOMAIN)) == settled:
        tally.undone += 1
    else:
        tally.wrong.append(f"{name}: libvirt's text is not as before after the undo")


def _settled(libvirt: Embedded, text: str) -> str | None:
    """The text as libvirt prints it, once printing it again changes nothing; None where it is not defined.

    libvirt 9.0 sorts some controllers anew at every define.
    """
    for _ in range(3):
        printed = libvirt.defined(text)
        if printed is None or printed == text:
            return printed
        text = printed
    return None


def _paths(wanted: Wanted) -> list[tuple[Path, str | None]]:
    return [(Path.parse(path), value) for path, value in wanted]


def _tree(raw: bytes) -> etree._Element:
    return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))


def _removed(before: str, after: str) -> list[int]:
    """The numbers of the lines that a diff removes."""
    matcher = SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return [line for tag, start, end, *_ in matcher.get_opcodes() if tag != "equal" for line in range(start, end)]


def _touched_lines(text: str, reversal: Reversal) -> set[int]:
    """The numbers of the lines on which a touched element stands, or the tag of a parent that was opened for it."""
    root = Document.parse(text).root
    lines: set[int] = set()
    for touched in reversal.touched:
        element = root
        for step in Path.parse(touched.paths[0]).steps:
            found = DOMAIN.find(element, step)
            if found is None:
                break
            element = found
        first = len(re.findall("\n", text[: element.whole.start]))
        last = len(re.findall("\n", text[: element.whole.end]))
        lines |= set(range(first, last + 1)) if element is not root else set()
    return lines


def _check(tally: Tally) -> None:
    assert tally.wrong == []
    assert set(tally.by_plan) == {*KINDS, EVERYTHING}
    assert tally.lines_elsewhere <= tally.lines / 100
    assert tally.changed == tally.foretold
    assert len(tally.missed) + len(tally.changed) <= tally.defined / 200, "\n".join((*tally.missed, *tally.changed))
    assert tally.undone == tally.defined - len(tally.missed)


def test_plans_over_some_domains_of_others(libvirt: Embedded, tmp_path: FilePath) -> None:
    tally = judge(some_files(12, 20261123), libvirt, tmp_path)
    _check(tally)
    assert tally.plans > 80
    assert tally.valid > 100
    assert tally.defined > 30


def test_what_libvirt_does_not_define_any_more_is_foretold(libvirt: Embedded, tmp_path: FilePath) -> None:
    # It has many PCI controllers, which libvirt cannot lay out beside what the rules want.
    (crowded,) = (file for file in domain_files() if file.name.endswith("/pci-many.xml"))
    settled = _settled(libvirt, crowded.text)
    assert settled is not None
    tally = Tally()
    _judge_define(tally, "crowded", settled, firing(crowded, tmp_path), libvirt)
    assert [miss.rpartition(": ")[0] for miss in tally.missed] == ["crowded: unsupported configuration"]
    assert tally.wrong == []


def test_a_refusal_stops_a_plan_also_where_nobody_answers_for_the_present_xml(
    libvirt: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def once(seconds: float, call: Callable[[], str], doing: str) -> str:
        asked.append(doing)
        if len(asked) > 1:
            raise NotAnswered("no answer in time")
        return within(seconds, call, doing)

    monkeypatch.setattr("kvmnb.plan.command_line.within", once)
    empty = "<domain type='qemu'><name>empty</name><devices/></domain>"
    check = command_line(as_planned(empty, empty), libvirt.machine).check
    assert (check.outcome, len(asked)) == (Outcome.STOPS, 2)
    assert check.said.endswith("(the present XML was not compared: no answer in time).")


@pytest.mark.soak
def test_plans_over_every_domain_of_others(libvirt: Embedded, tmp_path: FilePath) -> None:
    tally = judge(domain_files(), libvirt, tmp_path)
    print(
        f"\n{tally.plans} plans over {len(domain_files())} domains: {dict(tally.by_plan)}; "
        f"{tally.valid} judged by a schema; {tally.lines} lines removed, {tally.lines_elsewhere} elsewhere; "
        f"{tally.defined} defined by libvirt, {len(tally.missed)} refused by libvirt as the preview foretells, "
        f"{len(tally.changed)} kept otherwise by libvirt, {len(tally.foretold)} of them as the preview foretells, "
        f"{tally.undone} undone exactly"
    )
    print(*tally.missed, *tally.changed, sep="\n")
    _check(tally)
    assert tally.plans > 10_000
    assert tally.by_plan[EVERYTHING] > 1_100
    assert tally.defined > 6_000
