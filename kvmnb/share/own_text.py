"""What kvmnb itself says: rules, templates and sentences, in which a word of a guest's description tells nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
ENDINGS = (".py", ".j2", ".css", ".js")


@cache
def own_text() -> str:
    """All texts of the package that a page may quote, lower case."""
    found = (path for path in sorted(PACKAGE.rglob("*")) if path.suffix in ENDINGS and "demo" not in path.parts)
    return "\n".join(path.read_text("utf-8") for path in found).lower()
