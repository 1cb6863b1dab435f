"""The page of scores: each rule, each shared module, and every mutant that survived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEAD = """# Mutation of the rules

`make mutate` changes each module of `kvmnb/advise` in the ways of cosmic-ray (comparisons, numbers, boolean words,
arithmetic, loops, exceptions) and runs its tests against each change: a rule against its own test file, a shared module
against those of the rules that use it. A change that no test finds survives. Some survivors cannot be found, as they do
the same by another way.

Not changed: annotations, decorators, the fields of a `Rule(...)`, the limits between which a person may set a
threshold, the order of texts, whether `zip` is strict, and `is` for `==` (or the reverse), which say the same wherever
a rule uses them.
"""

TABLE = "| what | killed | mutants | score |\n| --- | --- | --- | --- |"


@dataclass(frozen=True)
class Result:
    """What was found of one module."""

    module: str
    rule: str | None
    killed: int
    survivors: list[str]
    broken: str | None

    @property
    def total(self) -> int:
        """How many mutants were tried."""
        return self.killed + len(self.survivors)

    def line(self) -> str:
        """In one line."""
        return self.broken or f"{self.module}: {self.killed} of {self.total} killed ({score([self])})"


def score(results: Sequence[Result]) -> str:
    """The share that was killed."""
    total = sum(one.total for one in results)
    return f"{100 * sum(one.killed for one in results) / total:.0f} %" if total else "-"


def report(results: Sequence[Result]) -> str:
    """The whole page."""
    killed, total = sum(one.killed for one in results), sum(one.total for one in results)
    parts = [HEAD, f"All: {killed} of {total} mutants killed, **{score(results)}**.\n"]
    for title, some in (
        ("Rules", [one for one in results if one.rule]),
        ("Shared modules", [one for one in results if not one.rule]),
    ):
        rows = [f"| `{one.rule or one.module}` | {one.killed} | {one.total} | {score([one])} |" for one in some]
        parts.append(f"## {title}\n\n{TABLE}\n" + "\n".join(rows) + "\n")
    lines = [f"* `{one.rule or one.module}`: " + "; ".join(one.survivors) for one in results if one.survivors]
    parts.append("## Survivors\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)
