"""``kvmnb rules`` and ``kvmnb rule ID``: the catalogue, and one rule explained."""

from __future__ import annotations

import argparse
import html
from typing import TYPE_CHECKING

from kvmnb.advise import registry
from kvmnb.advise.rule import HEADINGS, Rule
from kvmnb.terminal import documents
from kvmnb.terminal.options import add_json
from kvmnb.terminal.words import coloured, severity

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verbs to the parser."""
    listing = verbs.add_parser("rules", help="the catalogue of rules")
    add_json(listing)
    listing.set_defaults(run=run_rules)
    one = verbs.add_parser("rule", help="one rule explained")
    one.add_argument("id", metavar="ID")
    one.add_argument("--format", choices=("text", "md", "html"), default="text")
    add_json(one)
    one.set_defaults(run=run_rule)


def run_rules(options: argparse.Namespace) -> int:
    """Print all rules; 0."""
    if options.json:
        documents.print_document(documents.rules_document())
        return 0
    for rule in registry.rules():
        print(f"{severity(rule.severity)} {rule.id:<20} {rule.title}")
    return 0


def run_rule(options: argparse.Namespace) -> int:
    """Print one rule; 0."""
    rule = registry.rule(options.id)
    if options.json:
        _title, text = rule.text
        part = documents.rule_part(rule.id)
        effect = documents.EffectPart(rule.effect, rule.effect_basis)
        documents.print_document(documents.RuleDocument("kvmnb.rule/1", part, rule.basis, effect, text))
        return 0
    print({"text": as_text, "md": as_markdown, "html": as_html}[options.format](rule))
    return 0


def as_text(rule: Rule) -> str:
    """A rule for the terminal."""
    title, text = rule.text
    lines = [coloured(f"{title}  [{rule.id}]", "1"), _facts(rule)]
    for heading in HEADINGS:
        lines.extend(("", coloured(heading, "4"), *(f"  {line}".rstrip() for line in text[heading].splitlines())))
    return "\n".join(lines)


def as_markdown(rule: Rule) -> str:
    """A rule as a Markdown page."""
    title, text = rule.text
    parts = [f"# {title}", f"`{rule.id}`. {_facts(rule)}"]
    for heading in HEADINGS:
        parts.extend((f"## {heading}", text[heading]))
    return "\n\n".join(parts) + "\n"


def as_html(rule: Rule) -> str:
    """A rule as an HTML fragment."""
    title, text = rule.text
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p><code>{html.escape(rule.id)}</code>. {html.escape(_facts(rule))}</p>",
    ]
    for heading in HEADINGS:
        paragraphs = "".join(f"<p>{html.escape(one)}</p>" for one in text[heading].split("\n\n"))
        parts.append(f"<h2>{heading}</h2>{paragraphs}")
    return "\n".join(parts)


def _facts(rule: Rule) -> str:
    goals = ", ".join(goal.value for goal in rule.goals)
    return (
        f"Severity {rule.severity.value}; speaks for {goals}; thresholds: {rule.basis}. "
        f"Expected effect: {rule.effect.value} ({rule.effect_basis})."
    )
