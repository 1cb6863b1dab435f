"""The card of a rule: the one text of its file."""

from __future__ import annotations

from kvmnb.advise.rule import HEADINGS, Rule
from kvmnb.show import template, words


def html(rule: Rule) -> str:
    """The card."""
    sections = rule.text[1]
    told = [(heading, sections[heading]) for heading in HEADINGS if sections.get(heading)]
    goals = words.listed([goal.value for goal in rule.goals])
    return template.page("rule", rule=rule, goals=goals, sections=told)


def text(rule: Rule) -> str:
    """The card as one line."""
    return f"Rule {rule.id} ({rule.severity.value}): {rule.title}"
