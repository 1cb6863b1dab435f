"""``kvmnb plan``: what would change, with its previews."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.advise.finding import Finding, Safety
from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError
from kvmnb.core.xml import mask
from kvmnb.plan.build import edited_texts
from kvmnb.plan.check import Outcome
from kvmnb.plan.plan import Plan, to_document
from kvmnb.terminal.audit_report import WHEN
from kvmnb.terminal.options import add_guests, add_json, add_source, here_of
from kvmnb.terminal.words import diff_line, paragraph, safe

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs

_OUTCOMES = {Outcome.STOPS: "STOPS this plan: ", Outcome.TOLD: "", Outcome.UNKNOWN: "Not checked: ", Outcome.PASSED: ""}


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("plan", help="the plan with its previews; nothing is written")
    add_source(parser)
    add_guests(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--rule", metavar="ID", action="append", help="follow this rule (may be repeated)")
    which.add_argument("--all", action="store_true", help="follow all SAFE and DISRUPTIVE findings")
    parser.add_argument("--live-only", action="store_true", help="leave out what would outlive the next boot")
    parser.add_argument("--out", metavar="PLAN.json", type=Path, help="save the plan for `kvmnb apply`")
    parser.add_argument("--out-xml", metavar="FILE", type=Path, help="write the edited XML of the one --domain-xml")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print and save the plan; 0, also where it holds nothing."""
    if options.out_xml is not None and len(options.domain_xml) != 1:
        raise KvmnbError("--out-xml writes the edited XML of one --domain-xml; give exactly one")
    here = here_of(options)
    audit = here.audit(*options.domain, rules=options.rule)
    plan = here.plan(audit, live_only=options.live_only)
    document = to_document(plan)
    if options.out is not None:
        _save(options.out, codec.to_json(document, indent=1).encode() + b"\n")
    if options.out_xml is not None:
        _save(options.out_xml, _edited_file(options.domain_xml[0], plan, here.machine))
    if options.json:
        print(codec.to_json(document, indent=1))
    else:
        print(preview(plan, audit.findings))
        if options.out is not None:
            print(f"Saved as {options.out}; carry it out with `kvmnb apply {options.out}`.")
    return 0


def preview(plan: Plan, findings: tuple[Finding, ...]) -> str:
    """A plan as text: each change with its cost and undo, the diffs, the commands."""
    lines = [
        f"Plan {plan.id}: {len(plan.changes)} changes."
        if plan
        else "Nothing to change: all that is wanted holds already."
    ]
    for change in plan.changes:
        before, after = (_short(value) for value in (change.before, change.after))
        lines.append("")
        lines.append(safe(f"{change.tunable}: {before} -> {after}"))
        way = f"{change.safety.value}, {WHEN[change.when.value]}, undo {change.undo.value}"
        lines.append(paragraph(f"{way}; for {', '.join(change.why)}", "  "))
        lines.extend(paragraph(cost, "  ") for cost in change.costs)
        if change.owner is not None:
            lines.append(paragraph(f"Also set elsewhere: {safe(change.owner)}.", "  "))
    lines.extend(_checks(plan))
    for name, diff in plan.xml_diffs.items():
        lines.extend(("", f"XML of {safe(name)}:", *(diff_line(line) for line in diff.splitlines())))
    for name, diff in plan.command_lines.items():
        if diff:
            lines.extend(
                ("", f"QEMU's command line of {safe(name)}:", *(diff_line(line) for line in diff.splitlines()))
            )
    manual = [one for one in findings if one.safety is Safety.MANUAL]
    if plan.commands:
        lines.extend(("", "The same by hand:", *(f"  {safe(mask(line))}" for line in plan.commands)))
    for one in manual:
        lines.extend(("", paragraph(f"By your own hand: {one.title} ({one.subject}). {one.saw}")))
    lines.extend(("", *(paragraph(note) for note in plan.notes)) if plan.notes else ())
    if plan.conflicts:
        lines.extend(("", "Left out, since it cannot be followed together with the rest:"))
        lines.extend(paragraph(mask(one), "  ") for one in plan.conflicts)
    return "\n".join(lines)


def _checks(plan: Plan) -> list[str]:
    """What the preflight came to: all that a reader must know, and how much passed."""
    passed = sum(check.outcome is Outcome.PASSED for check in plan.checks)
    lines = [
        paragraph(f"{_OUTCOMES[check.outcome]}{check.subject}: {check.said}", "  ")
        for check in plan.checks
        if check.outcome is not Outcome.PASSED
    ]
    if lines or passed:
        lines = ["", f"Checked before it is applied ({passed} passed; docs/preflight.md lists what is asked):", *lines]
    return lines


def _short(value: str | None) -> str:
    if value is None:
        return "absent"
    text = " ".join(mask(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _edited_file(path: Path, plan: Plan, machine: object) -> bytes:
    """The bytes of the given file with the plan's edits, in the file's own encoding."""
    from kvmnb.core.xml import decode, encode
    from kvmnb.machine.machine import Machine

    assert isinstance(machine, Machine)
    text, encoding = decode(path.read_bytes())
    for _before, after in edited_texts(plan, machine).values():
        text = after
    return encode(text, encoding)


def _save(path: Path, raw: bytes) -> None:
    """Write a file as one step; KvmnbError where it cannot be written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(raw)
        os.replace(beside, path)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        raise KvmnbError(f"writing {path}: {problem.strerror}") from problem
