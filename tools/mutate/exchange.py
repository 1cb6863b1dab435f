"""A mutant in the place of the module that tests hold already: its functions get the mutant's code."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from types import FunctionType, ModuleType
from typing import Any

from kvmnb.advise.rule import Rule


def exchange(module: ModuleType, code: str) -> None:
    """Run the code in the module, and give every function, rule and class that others hold already what it says.

    A class that the code does not change is left as it is, for the sake of its members that are held anywhere.
    Another value that a module has from it, such as a number, is put there under the same name.
    Errors while it runs are the mutant's, and go to the caller.
    """
    held = dict(vars(module))
    exec(compile(_without_same_classes(module, code), module.__file__ or "mutant", "exec"), vars(module))
    for name, old in held.items():
        new = vars(module).get(name)
        if new is not old and getattr(old, "__module__", None) in (module.__name__, None) and _take(old, new):
            setattr(module, name, old)
    for name, old in held.items():
        new = vars(module).get(name)
        if isinstance(old, Rule) and isinstance(new, Rule):
            for field in ("severity", "goals", "basis"):
                setattr(old, field, getattr(new, field))
            setattr(module, name, old)
    changed = {name: old for name, old in held.items() if vars(module).get(name) is not old}
    for other in [one for name, one in sys.modules.items() if name.startswith(("kvmnb.", "tests."))]:
        for name, old in changed.items():
            if other is not module and vars(other).get(name) is old and not name.startswith("__"):
                setattr(other, name, vars(module).get(name))


def _without_same_classes(module: ModuleType, code: str) -> ast.Module:
    program = ast.parse(code)
    known = {ast.dump(one) for one in ast.parse(inspect.getsource(module)).body if isinstance(one, ast.ClassDef)}
    program.body = [one for one in program.body if not (isinstance(one, ast.ClassDef) and ast.dump(one) in known)]
    return program


def _take(old: Any, new: Any) -> bool:
    """Give the old thing the code of the new one; False where it has none to give."""
    if isinstance(old, functools._lru_cache_wrapper) and isinstance(new, functools._lru_cache_wrapper):
        old.cache_clear()
        return _take(old.__wrapped__, new.__wrapped__)
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
        return True
    if isinstance(old, functools.cached_property) and isinstance(new, functools.cached_property):
        return _take(old.func, new.func)
    if isinstance(old, property) and isinstance(new, property):
        return _take(old.fget, new.fget)
    if isinstance(old, classmethod | staticmethod) and isinstance(new, classmethod | staticmethod):
        return _take(old.__func__, new.__func__)
    if isinstance(old, type) and isinstance(new, type):
        for name, member in vars(old).items():
            _take(member, vars(new).get(name))
        return True
    return False
