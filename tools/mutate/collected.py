"""Tests that pytest has collected, run again and again without it: what it would tell of them is not put together."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from _pytest.tmpdir import tmppath_result_key


def first_failing(items: list[Any]) -> int | None:
    """The place of the first test that fails; None where all pass."""
    for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
        state = item.session._setupstate
        # What the fixture tmp_path asks for at its end.
        item.stash[tmppath_result_key] = {}
        try:
            item._initrequest()
            state.setup(item)
            item.runtest()
        except pytest.skip.Exception:
            pass
        except BaseException:
            return place
        try:
            state.teardown_exact(following)
        except BaseException:
            return place
    return None


def forget() -> None:
    """Empty what the rules and their tests remember: it came from the module as it is."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("kvmnb.advise", "tests.advise")):
            for one in list(vars(module).values()):
                if isinstance(one, functools._lru_cache_wrapper):
                    one.cache_clear()


def name_folders_by_process(factory: Any) -> None:
    """Let the tests' folders be counted here: pytest looks through all that there are for each new one."""
    base = factory.getbasetemp()
    numbers = iter(range(10**9))

    def mktemp(basename: str, numbered: bool = True) -> Path:
        path: Path = base / f"{basename}-{os.getpid()}-{next(numbers)}"
        path.mkdir()
        return path

    factory.mktemp = mktemp
