"""The index of the rules' pages: by area, and by goal."""

from __future__ import annotations

from itertools import groupby

from kvmnb.advise.intent import Goal
from kvmnb.advise.opposites import OPPOSITES
from kvmnb.advise.registry import rules
from kvmnb.advise.rule import SeenBy

_AREAS = {
    "cpu": "CPUs",
    "dev": "Devices and the guest's machine",
    "disk": "Disks of guests",
    "dom": "Configurations",
    "host": "The host's storage and profile",
    "kvm": "KVM",
    "mem": "Memory",
    "net": "Network",
    "numa": "NUMA",
    "win": "Windows guests",
}
_SEEN_BY = {
    SeenBy.CONFIGURATION: "configuration",
    SeenBy.WINDOW: "window",
    SeenBy.SURER: "configuration, surer with a window",
}


def rules_index() -> str:
    """The page ``docs/rules/README.md``."""
    return "\n".join(["# Rules", "", *_by_area(), *_by_goal(), *_opposites()]) + "\n"


def _by_area() -> list[str]:
    lines = ["## By area"]
    for area, found in groupby(rules(), key=lambda rule: rule.area):
        lines += ["", f"### {_AREAS.get(area, area)}", ""]
        lines += ["| rule | severity | expected effect | speaks for | seen by | what it finds |"]
        lines += ["|---|---|---|---|---|---|"]
        for rule in found:
            goals = ", ".join(goal.value for goal in rule.goals)
            words = (_link(rule.id), rule.severity.value, rule.effect.value, goals, _SEEN_BY[rule.seen_by], rule.title)
            lines.append(f"| {' | '.join(words)} |")
    return lines


def _by_goal() -> list[str]:
    lines = [
        "",
        "## By goal",
        "",
        "| rule |" + "".join(f" {goal.value} |" for goal in Goal),
        "|---|" + "---|" * len(Goal),
    ]
    lines += [
        f"| {_link(rule.id)} |" + "".join(" speaks |" if goal in rule.goals else " |" for goal in Goal)
        for rule in rules()
    ]
    return lines


def _opposites() -> list[str]:
    lines = ["", "## What is not followed together", ""]
    lines += ["| follow | leave for now | where both are on | they disagree about | why |", "|---|---|---|---|---|"]
    for pair in OPPOSITES:
        why = [pair.reason, *(f"for {goal} the other way round: {reason}" for goal, reason in pair.turned.items())]
        row = (
            _link(pair.first.rule),
            _link(pair.second.rule),
            pair.where.value,
            pair.about,
            "; ".join(why),
        )
        lines.append("| " + " | ".join(row) + " |")
    return [
        *lines,
        "",
        "Two findings that want one setting with two values are settled by their rank, and so are two that",
        "take the same pages of a pool or the same CPU.",
    ]


def _link(rule_id: str) -> str:
    return f"[`{rule_id}`]({rule_id}.md)"
