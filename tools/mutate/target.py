"""What is mutated, and by which tests: a rule by its own file, a shared module by those of the rules that use it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ADVISE = ROOT / "kvmnb" / "advise"
TESTS = ROOT / "tests" / "advise"
_CHANGES = ROOT / "tools" / "mutate" / "mutants.py"
_RULE = re.compile(r"^RULE = Rule\(\s*id=\"([^\"]+)\"|^RULE = Rule\(\s*\n\s*id=\"([^\"]+)\"", re.MULTILINE)
_LONG = re.compile("corpora|following|healthy|on_the_lab|unseen")


@dataclass(frozen=True)
class Target:
    """One module and its tests."""

    path: Path
    tests: tuple[Path, ...]
    rule: str | None
    """Its rule's id; None for a shared module."""
    state: str
    """Another where the module, one of its tests or the set of changes is another."""

    @property
    def module(self) -> str:
        """Its dotted name."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)


def _state(paths: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in (_CHANGES, *paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def targets() -> list[Target]:
    """Every module of kvmnb.advise that has tests, by name."""
    paths = [path for path in sorted(ADVISE.rglob("*.py")) if path.name != "__init__.py"]
    return [found for path in paths if (found := _target(path)) is not None]


def _target(path: Path) -> Target | None:
    match = _RULE.search(path.read_text())
    own = TESTS / path.relative_to(ADVISE).parent / f"test_{path.stem}.py"
    if match is not None:
        return Target(path, (own,), match[1] or match[2], _state((path, own)))
    tests = [own, *sorted(_tests_of_users(path))]
    tests = [one for one in dict.fromkeys(tests) if one.is_file()]
    return Target(path, tuple(tests), None, _state((path, *tests))) if tests else None


def _tests_of_users(path: Path) -> set[Path]:
    """The tests of the rules that import this module, and those of tests/advise that do so themselves."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    uses = re.compile(rf"^\s*(?:from {re.escape(module)} import|import {re.escape(module)}\b)", re.MULTILINE)
    found = {test for test in TESTS.rglob("test_*.py") if uses.search(test.read_text())}
    # Every rule uses these, and they have tests of their own that take no time.
    if path.parent == ADVISE and path.stem in ("intent", "registry", "rule"):
        return set()
    # And these: their tests are those that import them, but for those that take seconds each.
    if path.parent == ADVISE and path.stem in ("finding", "view"):
        return {test for test in found if not _LONG.search(test.stem)}
    for user in ADVISE.rglob("*.py"):
        if user != path and uses.search(user.read_text()):
            found.add(TESTS / user.relative_to(ADVISE).parent / f"test_{user.stem}.py")
    return found
