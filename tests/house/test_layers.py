"""A package imports only those above it, whatever the import is wrapped in."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.conftest import REPO

LAYERS = (
    "core",
    "machine",
    "facts",
    "tunable",
    "probe",
    "place",
    "advise",
    "plan",
    "apply",
    "measure",
    "show",
    "share",
    "verbs",
    "terminal",
    "cli",
)
# Data that machine reads: should it ever hold a module, that one may use core alone.
DATA = ("demo", "notebooks")
HEAVY = ("libvirt", "lxml", "numpy", "pandas", "plotly", "ipywidgets", "anywidget", "IPython")


def imported(source: str, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Every module of kvmnb that a source text imports at any depth, with its line."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            if base == ["kvmnb"]:
                yield from ((node.lineno, f"kvmnb.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, ".".join(base)


def breaches(root: Path) -> list[str]:
    """The imports under a folder kvmnb/ that go the wrong way, as FILE:LINE what."""
    found = []
    for path in sorted((root / "kvmnb").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        if module == "kvmnb":
            continue  # re-exports the verbs, lazily: see below
        own = rank(module)
        if own is None:
            found.append(f"{path.relative_to(root)}:1 {module} is in no layer")
            continue
        for line, name in imported(path.read_text(), module, is_package):
            if name.split(".")[0] != "kvmnb" or name == "kvmnb.__version__":
                continue
            other = rank(name)
            same = name.split(".")[1:2] == module.split(".")[1:2]
            if not same and (other is None or other >= own):
                found.append(f"{path.relative_to(root)}:{line} {module} imports {name}")
    return found


def rank(module: str) -> float | None:
    """A module's place in the order; none for kvmnb itself, whose verbs are below everything but cli."""
    layer = [*module.split("."), ""][1]
    if layer in DATA:
        return LAYERS.index("core") + 0.5
    return float(LAYERS.index(layer)) if layer in LAYERS else None


def test_every_package_imports_only_those_above_it() -> None:
    assert breaches(REPO) == []


@pytest.mark.parametrize(
    ("source", "breach"),
    [
        ("import kvmnb.plan\n", "1 kvmnb.facts.cpu imports kvmnb.plan"),
        ("from kvmnb import plan\n", "1 kvmnb.facts.cpu imports kvmnb.plan"),
        ("from ..plan.change import Change\n", "1 kvmnb.facts.cpu imports kvmnb.plan.change"),
        ("def late():\n    from kvmnb.show import card\n", "2 kvmnb.facts.cpu imports kvmnb.show"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import kvmnb.tunable\n",
            "3 kvmnb.facts.cpu imports kvmnb.tunable",
        ),
        ("import kvmnb\n", "1 kvmnb.facts.cpu imports kvmnb"),
        (
            "from kvmnb.core import units\nfrom . import memory\nfrom kvmnb.facts import gap\nimport sys\n",
            None,
        ),
    ],
)
def test_an_import_the_wrong_way_is_seen(tmp_path: Path, source: str, breach: str | None) -> None:
    module = tmp_path / "kvmnb" / "facts" / "cpu.py"
    module.parent.mkdir(parents=True)
    module.write_text(source)
    assert breaches(tmp_path) == ([f"kvmnb/facts/cpu.py:{breach}"] if breach else [])


def test_a_package_outside_the_order_is_seen(tmp_path: Path) -> None:
    module = tmp_path / "kvmnb" / "extras.py"
    module.parent.mkdir(parents=True)
    module.write_text("")
    assert breaches(tmp_path) == ["kvmnb/extras.py:1 kvmnb.extras is in no layer"]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_kvmnb_loads_nothing_heavy() -> None:
    assert python(f"import sys, kvmnb; print(*sorted({{*{HEAVY!r}}} & set(sys.modules)))") == ""


def test_every_module_can_be_imported_without_libvirt() -> None:
    code = """
import importlib, pkgutil, sys
sys.modules["libvirt"] = sys.modules["libvirt_qemu"] = None
import kvmnb
found = [module.name for module in pkgutil.walk_packages(kvmnb.__path__, "kvmnb.")]
names = [name for name in found if not name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
    assert int(python(code)) >= len(list((REPO / "kvmnb" / "core").glob("[a-z]*.py")))
