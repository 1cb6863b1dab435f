"""The reference page of the diagnosis patterns, from their own texts and thresholds."""

from __future__ import annotations

from kvmnb.measure.diagnose.diagnosis import patterns
from kvmnb.measure.diagnose.pattern import Pattern

HEAD = """# Diagnosis

What a window of series can show, one pattern each: pure functions of the metrics in [metrics.md](metrics.md). Where a
series that a pattern needs is missing, the pattern is "not checked", with the reason. Thresholds are starting points
of this project unless a source is named. How it is found who takes whose CPU, how true that is and what it costs tells
[neighbours.md](neighbours.md).
"""


def diagnosis_page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *(_part(one) for one in patterns())])


def _part(one: Pattern) -> str:
    rules = ", ".join(f"[{rule}](rules/{rule}.md)" for rule in one.answers)
    parts = [f"## {one.title}", f"`{one.id}`, {one.severity.value}. Rules that answer it: {rules}."]
    rows = (f"| `{each.name}` | {each.default:g} {each.unit} | {each.meaning} |" for each in one.thresholds)
    parts.append("\n".join(("| threshold | default | what it decides |", "|---|---|---|", *rows)))
    for heading, text in one.text[1].items():
        parts.extend((f"### {heading}", text))
    return "\n\n".join(parts) + "\n"
