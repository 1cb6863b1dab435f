"""The card of a rule or of a myth: the one text of its file."""

from __future__ import annotations

from kvmnb.advise.folklore import Myth
from kvmnb.advise.rule import Rule
from kvmnb.show import template, words


def html(rule: Rule) -> str:
    """The card."""
    sections = rule.text[1]
    told = [(heading, sections[heading]) for heading in rule.headings if sections.get(heading)]
    if isinstance(rule, Myth):
        return template.page("myth", myth=rule, sections=told)
    goals = words.listed([goal.value for goal in rule.goals])
    return template.page("rule", rule=rule, goals=goals, sections=told)


def text(rule: Rule) -> str:
    """The card as one line."""
    if isinstance(rule, Myth):
        return f"Myth {rule.name}: {rule.title}"
    return f"Rule {rule.id} ({rule.severity.value}): {rule.title}"
