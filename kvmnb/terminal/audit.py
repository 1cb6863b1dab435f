"""``kvmnb audit``: what the rules find, worst first."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from kvmnb.advise.finding import Finding, Severity
from kvmnb.advise.registry import Audit
from kvmnb.terminal import documents
from kvmnb.terminal.options import add_guests, add_json, add_source, here_of
from kvmnb.terminal.words import coloured, paragraph, safe, severity

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs

WHEN = {"now": "now", "guest_start": "at the guest's next start", "host_boot": "at the host's next boot"}


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "audit", help="findings, worst first", description="Ask every rule; exit 1 where one finds something."
    )
    add_source(parser)
    add_guests(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 where there are any, else 0."""
    audit = here_of(options).audit(*options.domain)
    if options.json:
        documents.print_document(documents.audit_document(audit))
    else:
        print(report(audit))
    return 1 if audit.findings else 0


def report(audit: Audit) -> str:
    """An audit as text that a person reads in a minute."""
    lines = [_counts(audit)]
    for finding in audit.findings:
        lines.extend(("", *_finding(finding)))
    lines.append("")
    lines.append(f"Healthy: {len(audit.checked)} judgements found nothing ({_by_rule(audit)}).")
    if audit.not_checked:
        lines.append(f"Not checked: {len(audit.not_checked)}")
        lines.extend(paragraph(f"{one.id}, {one.subject}: {one.reason}", "  ") for one in audit.not_checked)
    lines.append("Read about one with `kvmnb rule ID`; see what would change with `kvmnb plan --rule ID` or `--all`.")
    return "\n".join(lines)


def _counts(audit: Audit) -> str:
    counts = Counter(finding.severity for finding in audit.findings)
    said = ", ".join(f"{counts[word]} {word.value}" for word in Severity if counts[word])
    areas = Counter(finding.id.partition(".")[0] for finding in audit.findings)
    where = ", ".join(f"{area} {count}" for area, count in sorted(areas.items()))
    if not audit.findings:
        return f"Nothing found for the goal {audit.goal.value}."
    return f"{len(audit.findings)} findings for the goal {audit.goal.value}: {said} ({where})."


def _finding(finding: Finding) -> list[str]:
    subject = finding.domain if finding.domain is not None else "host"
    head = f"{severity(finding.severity)} {coloured(safe(subject), '1')}: {finding.title} [{finding.id}]"
    lines = [head, paragraph(finding.saw, "         ")]
    cost = "; ".join(finding.costs)
    way = f"{finding.safety.value}, takes effect {WHEN[finding.when.value]}"
    lines.append(paragraph(f"{way}. {cost}" if cost else f"{way}.", "         "))
    if finding.note:
        lines.append(paragraph(finding.note, "         "))
    return lines


def _by_rule(audit: Audit) -> str:
    counts = Counter(rule_id for rule_id, _ in audit.checked)
    return ", ".join(f"{rule_id} {count}" for rule_id, count in sorted(counts.items())) or "none"
