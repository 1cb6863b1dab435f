"""Tests against each mutant of their target, each in a forked child of a pytest that collected them once."""

from __future__ import annotations

import gc
import importlib
import math
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tools.mutate.collected import first_failing, forget, name_folders_by_process
from tools.mutate.exchange import exchange
from tools.mutate.mutants import mutants
from tools.mutate.report import Result
from tools.mutate.target import ROOT, Target

WORKERS = 2
# A mutant that takes so many times the processor time that the tests take without it never ends.
PATIENCE = 6
LEAST_SECONDS = 2
# And one that waits for what never comes.
LONGEST_SECONDS = 300
# How a child ends in which the test at the n-th place failed: with n + 1, as far as an exit code goes.
_LAST = 250


class Trials:
    """A pytest plugin that tries each target's mutants instead of running the collected tests once."""

    def __init__(self, waiting: Sequence[Target], keep: Callable[[Target, Result], None]) -> None:
        self.waiting = waiting
        self.keep = keep

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Two workers at a time, each for one target; none shares a process with another's mutants."""
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        name_folders_by_process(session.config._tmp_path_factory)
        items: dict[Path, list[Any]] = {}
        for item in session.items:
            items.setdefault(item.path, []).append(item)
        running: set[int] = set()
        for target in self.waiting:
            if len(running) == WORKERS:
                running.discard(os.wait()[0])
            worker = os.fork()
            if worker == 0:
                _work(target, [item for path in target.tests for item in items.get(path, ())], self.keep)
            running.add(worker)
        for worker in running:
            os.waitpid(worker, 0)
        return True


def try_all(waiting: Sequence[Target], keep: Callable[[Target, Result], None]) -> None:
    """Each target's mutants against its tests; ``keep`` is called with each result, in a process of its own."""
    if waiting:
        tests = sorted({str(path) for target in waiting for path in target.tests})
        # Plain asserts: what a failing one compared is not asked here, and costs the most.
        words = ["-q", "-s", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(ROOT)]
        mark = "not lab and not browser and not soak"
        pytest.main([*words, *tests, "-m", mark], plugins=[Trials(waiting, keep)])


def _work(target: Target, items: list[Any], keep: Callable[[Target, Result], None]) -> None:
    """In the worker: try one target, and end."""
    try:
        keep(target, _tried(target, items))
        sys.stdout.flush()
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{target.module}: {error!r}\n".encode())
        os._exit(1)


def _tried(target: Target, items: list[Any]) -> Result:
    module = importlib.import_module(target.module)
    source = target.path.read_text()
    # Once here, so that what the tests read (recorded hosts, guests) is read already in every child.
    failing = first_failing(items)
    if not items or failing is not None:
        why = f"{items[failing].nodeid} fails" if failing is not None else "there are no tests"
        return Result(target.module, target.rule, 0, [], f"{target.module}: {why} without a mutant")
    forget()
    gc.collect()
    gc.freeze()
    # The same source as if it were a mutant: so what the exchange itself breaks is not counted as found.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    place = _place_of_failing(items, module, source, LONGEST_SECONDS)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if place is not None:
        return Result(target.module, target.rule, 0, [], f"{target.module}: its tests fail with its own source")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    limit = max(LEAST_SECONDS, math.ceil(PATIENCE * spent))
    killed, survivors = 0, []
    for mutant in mutants(source):
        place = _place_of_failing(items, module, mutant.code, limit)
        if place is None:
            survivors.append(mutant.name)
            continue
        killed += 1
        # A test that found one change often finds the next.
        if 0 < place < len(items):
            items.insert(0, items.pop(place))
    return Result(target.module, target.rule, killed, survivors, None)


def _place_of_failing(items: list[Any], module: Any, code: str, limit: int) -> int | None:
    """Where the test is that fails with this code; None if all pass, their number if it does not end or load."""
    child = os.fork()
    if child == 0:
        _run(items, module, code, limit)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended == 0:
        return None
    return ended - 1 if 0 < ended < _LAST else len(items)


def _run(items: list[Any], module: Any, code: str, limit: int) -> None:
    """In the child: ends it with 0 where every test passes."""
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        signal.alarm(LONGEST_SECONDS)
        exchange(module, code)
        place = first_failing(items)
        os._exit(0 if place is None else min(place + 1, _LAST))
    except BaseException:
        os._exit(_LAST)
