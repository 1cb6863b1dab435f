"""Each trap in the list is shown by a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_silent_trap_names_a_test_that_is_there() -> None:
    lines = [line for line in (ROOT / "docs/silent-traps.md").read_text().splitlines() if line.startswith("| ")][1:]
    named = [re.search(r"`(tests/[\w/]+\.py)::(test_\w+)`", line) for line in lines]
    assert len(lines) >= 19
    assert [line for line, found in zip(lines, named, strict=True) if found is None] == []
    absent = [
        found[0] for found in named if found and f"def {found[2]}(" not in (ROOT / found[1]).read_text(encoding="utf-8")
    ]
    assert absent == []
