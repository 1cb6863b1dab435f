"""The second half of the rules' index: goals, overlays and thresholds."""

from __future__ import annotations

from kvmnb.advise.folklore import myths
from kvmnb.advise.registry import rules
from kvmnb.terminal.rule_words import threshold_rows, voice_rows

SAID_OF_AIMS = """A rule speaks for the goals in its row above. Beside a goal stand overlays: `windows` (the guests run
Windows, where nothing says another system) and `security` (the guests belong to people who do not trust each other).
This is where a rule speaks otherwise than its row says; see [intent](../intent.md)."""
SAID_OF_THRESHOLDS = """The numbers on which judgement rests. A *heuristic* one is this project's judgement: set another
where yours is better, in `kvmnb.toml` or with `--threshold NAME=VALUE`; see [intent](../intent.md)."""


def aims_index() -> str:
    """Two tables, each with what it is about."""
    lines = ["## Where a goal or an overlay changes how a rule speaks", "", SAID_OF_AIMS, ""]
    lines += ["| with | rule | how it speaks | why |", "|---|---|---|---|"]
    lines += sorted(row for rule in rules() for row in voice_rows(rule))
    lines += ["", "## Thresholds", "", SAID_OF_THRESHOLDS, ""]
    lines += ["| threshold | default | unit | may be | decides | basis |", "|---|---|---|---|---|---|"]
    lines += [row for rule in (*rules(), *myths()) for row in threshold_rows(rule)]
    return "\n".join(lines) + "\n"
