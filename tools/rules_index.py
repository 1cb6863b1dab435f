"""The index of the rules' pages: by area, and by goal."""

from __future__ import annotations

from itertools import groupby

from kvmnb.advise.intent import Goal
from kvmnb.advise.registry import rules
from kvmnb.advise.rule import Rule, SeenBy

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
    return "\n".join(["# Rules", "", *_by_area(), *_by_goal()]) + "\n"


def _by_area() -> list[str]:
    lines = ["## By area"]
    for area, found in groupby(rules(), key=lambda rule: rule.area):
        lines += ["", f"### {_AREAS.get(area, area)}", ""]
        lines += ["| rule | severity | expected effect | speaks for | seen by | what it finds |"]
        lines += ["|---|---|---|---|---|---|"]
        for rule in found:
            goals = ", ".join(goal.value for goal in rule.goals)
            words = (_link(rule), rule.severity.value, rule.effect.value, goals, _SEEN_BY[rule.seen_by], rule.title)
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
        f"| {_link(rule)} |" + "".join(" speaks |" if goal in rule.goals else " |" for goal in Goal) for rule in rules()
    ]
    return lines


def _link(rule: Rule) -> str:
    return f"[`{rule.id}`]({rule.id}.md)"
