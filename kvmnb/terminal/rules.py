"""``kvmnb rules`` and ``kvmnb rule ID``: the catalogue, and one rule explained."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kvmnb.advise import registry
from kvmnb.advise.rule import Rule
from kvmnb.terminal import documents, pages
from kvmnb.terminal.options import add_json
from kvmnb.terminal.rule_words import in_short, sections
from kvmnb.terminal.words import severity

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
        print(f"{severity(rule.severity)} {rule.id:<26} {rule.title}")
    return 0


def run_rule(options: argparse.Namespace) -> int:
    """Print one rule; 0."""
    rule = registry.rule(options.id)
    if options.json:
        documents.print_document(documents.rule_document(rule))
        return 0
    print({"text": as_text, "md": as_markdown, "html": as_html}[options.format](rule))
    return 0


def as_text(rule: Rule) -> str:
    """A rule for the terminal."""
    return pages.as_text(rule.text[0], rule.id, in_short(rule), sections(rule))


def as_markdown(rule: Rule) -> str:
    """A rule as a Markdown page."""
    return pages.as_markdown(rule.text[0], rule.id, in_short(rule), sections(rule))


def as_html(rule: Rule) -> str:
    """A rule as an HTML fragment."""
    return pages.as_html(rule.text[0], rule.id, in_short(rule), sections(rule))
