"""Finding the modules of a package by walking its folder, so that no list has to be edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Every module below a package, imported, in the order of its dotted name."""
    names = sorted(found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
    for name in names:
        yield importlib.import_module(name)
