"""``kvmnb diff``: what differs between two recordings, or a recording and this machine."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kvmnb.core.errors import KvmnbError
from kvmnb.terminal.options import add_json
from kvmnb.terminal.words import coloured, paragraph, safe

if TYPE_CHECKING:
    from kvmnb.advise.registry import Audit
    from kvmnb.probe.survey import Survey
    from kvmnb.share.diff import Difference, FactChange, Value
    from kvmnb.terminal.commands import Verbs

_MOST = 200
"""Facts that the text names; --json has all."""


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "diff",
        help="what differs between two recordings",
        description="Compare two recordings, or one with this machine (-); exit 1 where they differ.",
    )
    parser.add_argument("before", metavar="A", help="a recording, or - for this machine")
    parser.add_argument("after", metavar="B", help="a recording, or - for this machine")
    parser.add_argument(
        "--uri", help="which libvirt this machine's is (default: $LIBVIRT_DEFAULT_URI, else qemu:///system)"
    )
    parser.add_argument("--goal", help="balanced (default), throughput, latency or density")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what differs; 1 where anything does, else 0."""
    from kvmnb.share.diff import differences
    from kvmnb.terminal import documents

    if options.before == options.after == "-":
        raise KvmnbError("this machine is compared with itself; name a recording")
    before, audit_before = _side(options.before, options)
    after, audit_after = _side(options.after, options)
    found = differences(before, after, audit_before, audit_after)
    if options.json:
        guests = (found.guests_added, found.guests_removed, found.guests_changed)
        documents.print_document(
            documents.DiffDocument("kvmnb.diff/1", bool(found), found.facts, *guests, found.findings)
        )
    else:
        print(report(found))
    return 1 if found else 0


def report(found: Difference) -> str:
    """A difference as text."""
    if not found:
        return "No difference in facts, guests and findings."
    lines = [coloured(f"+ guest {safe(name)}", "32") for name in found.guests_added]
    lines += [coloured(f"- guest {safe(name)}", "31") for name in found.guests_removed]
    for change in found.findings:
        came = change.severity_before is None
        if came or change.severity_after is None:
            sign, colour = ("+", "31") if came else ("-", "32")
            line = f"{sign} finding {change.id}, {safe(change.subject)}: {change.title}"
            lines.append(coloured(f"{line} ({change.severity_after or change.severity_before})", colour))
        else:
            was = f"{change.severity_before} -> {change.severity_after}"
            lines.append(f"~ finding {change.id}, {safe(change.subject)}: {was}")
    lines += [paragraph(_fact(change)) for change in found.facts[:_MOST]]
    if len(found.facts) > _MOST:
        lines.append(f"... and {len(found.facts) - _MOST} more facts; --json has all")
    counts = f"{len(found.facts)} facts, {len(found.guests_added)} guests added, {len(found.guests_removed)} removed"
    lines.append(f"{counts}, {len(found.guests_changed)} changed, {len(found.findings)} findings differ.")
    return "\n".join(lines)


def _fact(change: FactChange) -> str:
    if not change.seen_before:
        return f"+ {change.fact}: {_shown(change.after)}"
    if not change.seen_after:
        return f"- {change.fact}: {_shown(change.before)}"
    return f"~ {change.fact}: {_shown(change.before)} -> {_shown(change.after)}"


def _shown(value: Value) -> str:
    return "none" if value is None else safe(str(value))[:200] or "(empty)"


def _side(name: str, options: argparse.Namespace) -> tuple[Survey, Audit]:
    """One side's facts and findings."""
    from kvmnb.advise import registry
    from kvmnb.advise.intent_file import read_intent
    from kvmnb.machine import sources
    from kvmnb.probe.survey import probe

    with tempfile.TemporaryDirectory(prefix="kvmnb-diff-") as folder:
        path = Path(name)
        if name == "-":
            path = _this_machine(Path(folder) / "here", options)
        machine = sources.recorded(path)
        try:
            survey = probe(machine)
        finally:
            machine.close()
        return survey, registry.audit(survey.host, survey.domains, read_intent(options.goal))


def _this_machine(folder: Path, options: argparse.Namespace) -> Path:
    """A recording of this machine, since a recording's pseudonyms are like those of another one alone."""
    from kvmnb.share.record import record
    from kvmnb.verbs import open_machine

    machine = open_machine(uri=options.uri)
    try:
        return record(machine, folder).path
    finally:
        machine.close()
