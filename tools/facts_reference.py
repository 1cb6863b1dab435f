"""The reference page of all facts, from the classes in ``kvmnb.facts`` and the sentences below their fields."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import kvmnb.facts
from kvmnb.facts.gap import Fact

HEAD = """# Facts

What kvmnb reads of a host and its guests. `kvmnb facts --json` prints all of it; sizes are in bytes unless the name
says another unit, CPU sets are kernel lists. A field that could not be read is left out and stands under `gaps` with
the reason; `null` means that the source gives no value and its default holds.
"""

COLUMNS = "| field | type | meaning, and where it is read |\n|---|---|---|\n"


def facts_page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for kind in fact_types():
        parts.append(f"\n## {kind.__name__}\n\n{(kind.__doc__ or '').strip()}\n\n{COLUMNS}")
        sentences = field_sentences(kind)
        for field in dataclasses.fields(kind):
            kind_text = str(field.type).replace("|", "\\|")
            meaning = " ".join(sentences.get(field.name, "").split()).replace("|", "\\|")
            parts.append(f"| `{field.name}` | `{kind_text}` | {meaning} |\n")
    return "".join(parts)


def undocumented() -> list[str]:
    """Fields without a sentence."""
    return [
        f"{kind.__name__}.{field.name}"
        for kind in fact_types()
        for field in dataclasses.fields(kind)
        if not field_sentences(kind).get(field.name)
    ]


def fact_types() -> Iterator[Any]:
    """Every fact class, by module and place."""
    for found in sorted(pkgutil.iter_modules(kvmnb.facts.__path__), key=lambda one: one.name):
        module = importlib.import_module(f"kvmnb.facts.{found.name}")
        for kind in vars(module).values():
            here = inspect.isclass(kind) and kind.__module__ == module.__name__
            if here and issubclass(kind, Fact) and kind is not Fact:
                yield kind


@cache
def field_sentences(kind: type) -> Mapping[str, str]:
    """The text that stands below each field of a class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    return {
        field.target.id: str(below.value.value)
        for field, below in pairwise(tree.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }
